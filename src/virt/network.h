/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Virtual networks of libvirt. */
#include "virt/connect.h"

/** lm_virt_network_exists: gets whether there is a network @name, active or not.
 * One round trip. Errors: LM_VIRT_ERROR. */
gboolean lm_virt_network_exists (LmVirt *virt, const char *name, gboolean *out_exists, GError **error) G_GNUC_WARN_UNUSED_RESULT;
