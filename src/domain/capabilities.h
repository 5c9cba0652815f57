/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What is read from libvirt's capabilities XML (virsh capabilities). */
#include <glib.h>

/** lm_capabilities_qemu_user: the user that QEMU runs as, by the base label of
 * the security model "dac" in @xml. FALSE if it does not say. */
gboolean lm_capabilities_qemu_user (const char *xml, guint *out_uid);
