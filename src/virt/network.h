/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Virtual networks of libvirt. */
#include "virt/connect.h"

/** lm_virt_network_find: gets whether there is a network @name, and whether it is active.
 * Two round trips. Errors: LM_VIRT_ERROR. */
gboolean lm_virt_network_find (LmVirt *virt, const char *name, gboolean *out_exists, gboolean *out_active,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
