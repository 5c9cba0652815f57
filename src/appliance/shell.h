/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Commands of the appliance itself, not of the guest, for what libguestfs has no function for, or
 * none that is fast enough: its command "debug sh". The guest's root is LM_SHELL_ROOT there. */
#include "appliance/failure.h"

#define LM_SHELL_ROOT "/sysroot"
/* The label of the disk of the job for guestfs_add_drive_opts(), which is part of LM_APPLIANCE_DISK too. */
#define LM_SHELL_DISK_LABEL "job"

/** lm_shell_run: runs the shell command @command, whose words the caller has quoted. Returns its
 * stdout, to be freed with free(); NULL if it failed. */
char *lm_shell_run (guestfs_h *handle, const char *command) G_GNUC_WARN_UNUSED_RESULT;
/** lm_shell_locate: returns the quoted path, below LM_SHELL_ROOT, of the directory @path of the
 * guest, without symbolic links, which could lead out of the guest's root. Error: LM_GUEST_ERROR. */
char *lm_shell_locate (guestfs_h *handle, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_shell_device: returns the quoted name that the device @device of libguestfs has for a command.
 * The first disk of libguestfs, /dev/sda, need not be the first that the kernel found. */
char *lm_shell_device (const char *device);
