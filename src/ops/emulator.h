/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What QEMU is allowed to do. With the system's libvirt QEMU runs as a separate
 * user and has fewer rights than lamina run by root. Problems that would make the
 * start fail are found before anything is created. */
#include "virt/connect.h"

typedef enum
{
  LM_EMULATOR_ERROR_CLOSED, /* the user of QEMU cannot reach the files */
} LmEmulatorError;

#define LM_EMULATOR_ERROR lm_emulator_error_quark ()
GQuark lm_emulator_error_quark (void);

/** lm_emulator_user: gets the user that QEMU runs as on @virt, a connection to the
 * system's libvirt on this host: the one that libvirt reports, otherwise the one
 * that its packages create for this. 0 may be root without its capabilities. One
 * round trip. FALSE if it cannot be determined. */
gboolean lm_emulator_user (LmVirt *virt, guint *out_uid);

/** lm_emulator_check_dir: whether the user of QEMU can search the existing parent
 * directories of @path, which need not exist. Directories with access control lists
 * are accepted, and so is everything if the user is not known. Returns TRUE
 * immediately unless @virt is the system's libvirt on this host. Error:
 * LM_EMULATOR_ERROR_CLOSED. */
gboolean lm_emulator_check_dir (LmVirt *virt, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
