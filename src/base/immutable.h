/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The inode flag "immutable" (chattr +i, FS_IMMUTABLE_FL of ioctl_iflags(2)): nobody,
 * not even root, can change, rename, link or delete such a file, or change its owner
 * or mode, until root lifts the flag. Not every file system has it. */
#include <glib.h>

typedef enum
{
  LM_IMMUTABLE_UNKNOWN, /* the file system does not have the flag, or there is no such file */
  LM_IMMUTABLE_NO,
  LM_IMMUTABLE_YES,
} LmImmutable;

/** lm_immutable_get: whether the file @name in the directory @dir_fd (which may be
 * AT_FDCWD) has the flag; does not follow a symbolic link and does not open the file. */
LmImmutable lm_immutable_get (int dir_fd, const char *name);

/** lm_immutable_set: sets or lifts the flag of the open file @fd, which may be open for
 * reading only; other flags of the inode are kept. Needs CAP_LINUX_IMMUTABLE. Returns
 * FALSE and sets errno on failure. */
gboolean lm_immutable_set (int fd, gboolean on) G_GNUC_WARN_UNUSED_RESULT;
