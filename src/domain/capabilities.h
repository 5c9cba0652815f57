/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Reads libvirt's capabilities XML (virsh capabilities). */
#include <glib.h>

/** lm_capabilities_qemu_user: gets the user that QEMU runs as, from the base label
 * of the security model "dac" in @xml. FALSE if it is not given. */
gboolean lm_capabilities_qemu_user (const char *xml, guint *out_uid);
