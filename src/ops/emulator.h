/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What QEMU may do. With the system's libvirt it runs as a user of its own, so
 * that lamina, as root, could do more; what is bound to fail at the start is
 * found before anything is made. */
#include "virt/connect.h"

typedef enum
{
  LM_EMULATOR_ERROR_CLOSED, /* QEMU's user cannot get to the files */
} LmEmulatorError;

#define LM_EMULATOR_ERROR lm_emulator_error_quark ()
GQuark lm_emulator_error_quark (void);

/** lm_emulator_user: the user that QEMU runs as on @virt, a connection to this
 * host's system: what libvirt says, else who its packages make for this. 0 may be
 * root without its capabilities. One round trip. FALSE: not known. */
gboolean lm_emulator_user (LmVirt *virt, guint *out_uid);

/** lm_emulator_check_dir: whether QEMU's user can pass the directories that lead
 * to @path (which need not be there) and are there. Nothing is refused that access control lists
 * or a user that is not known may allow. TRUE at once unless @virt is the system's
 * on this host. Error: LM_EMULATOR_ERROR_CLOSED. */
gboolean lm_emulator_check_dir (LmVirt *virt, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
