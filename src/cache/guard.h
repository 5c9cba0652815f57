/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What keeps others from changing a published file: its owner, its mode, and the
 * immutable flag where the file system has it and the user may set it. The flag also
 * keeps libvirt from giving the file to the user of QEMU, in domains that do not say
 * otherwise. Private to cache. */
#include "base/state-dir.h"
#include <sys/stat.h>

/* The mode of a published file. */
#define LM_GUARD_MODE 0444

/** lm_guard_is_exposed: whether an untrusted user could change the file with the
 * properties @st, or could have done so and then restored its modification time. */
gboolean lm_guard_is_exposed (const struct stat *st);

/** lm_guard_lacks_flag: whether this user should set the immutable flag of the file
 * @name in @dir_fd: the user is root, the file system has the flag, and the file does not. */
gboolean lm_guard_lacks_flag (int dir_fd, const char *name);

/** lm_guard_restore: makes root the owner of the open file again if another user owns
 * it, with mode 0444, and sets the immutable flag if @with_flag. Does nothing if this
 * user is not root; what cannot be done is left as it is. */
void lm_guard_restore (int fd, gboolean with_flag);

/** lm_guard_repair: gives the open file, which is @name in @dir_fd, the mode of a published
 * file and, if this user is root, its owner, even if it is immutable; sets the immutable
 * flag if it had it or if @with_flag. What cannot be done is left as it is. */
void lm_guard_repair (int fd, int dir_fd, const char *name, gboolean with_flag);

/** lm_guard_remove: deletes the file @name in @dir, also if it is immutable, or becomes so
 * meanwhile because another process verifies it. Succeeds if it is missing. Errors: G_IO_ERROR. */
gboolean lm_guard_remove (const LmStateDir *dir, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_guard_move: likewise renames it to @to_name in @to, where it is not immutable; except
 * if another process that was verifying it makes it so afterwards. Errors: G_IO_ERROR. */
gboolean lm_guard_move (const LmStateDir *from, const char *name, const LmStateDir *to, const char *to_name,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
