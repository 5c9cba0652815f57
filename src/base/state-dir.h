/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The directory below which lamina keeps everything, and the directories in it.
 * Its contents are believed, so one check holds for all of it: a directory or
 * file belongs to this user or to root, neither its group nor others can write
 * to it, and no name below the state directory is a symbolic link. A directory
 * is checked when it is opened, and used by its descriptor from then on.
 *
 * Errors are G_IO_ERROR; _PERMISSION_DENIED also where another user could have
 * written. Only a missing file is _NOT_FOUND; a directory that could not be read
 * is never taken for an empty one. */
#include <gio/gio.h>

/* The state directory, or a directory below it. */
typedef struct _LmStateDir LmStateDir;

/** lm_state_dir_open: opens the state directory @path, which is made if missing
 * (0755, so that QEMU's user reaches the layers). What is missing above it root
 * makes so too; for others, whose QEMU runs as they do, the umask rules there.
 * @path itself may be a symbolic link: that is its owner's choice. */
LmStateDir *lm_state_dir_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_open_readonly: the same, but neither it nor anything below is
 * made; what is missing counts as empty. */
LmStateDir *lm_state_dir_open_readonly (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_open_below: opens the directory @name (one name) in @dir. If it
 * is missing it is made with exactly @mode, whatever the umask, and is durable;
 * of a read-only @dir it counts as empty. Independent of @dir from then on. */
LmStateDir *lm_state_dir_open_below (LmStateDir *dir, const char *name, guint mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_close: frees it; NULL is ignored. */
void lm_state_dir_close (LmStateDir *dir);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmStateDir, lm_state_dir_close)

/** lm_state_dir_get_path: its absolute path, for messages and for programs that
 * need one. */
const char *lm_state_dir_get_path (const LmStateDir *dir);

/** lm_state_dir_get_fd: its descriptor; -1 if it is missing. */
int lm_state_dir_get_fd (const LmStateDir *dir);

/** lm_state_dir_list: the names in it but "." and "..", sorted; newly allocated
 * strings. Empty if it is missing. */
GPtrArray *lm_state_dir_list (const LmStateDir *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_open_file: a descriptor for reading the regular file @name in it,
 * checked as above; -1 on error. The caller closes it. */
int lm_state_dir_open_file (const LmStateDir *dir, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_read: the whole of the file @name in it, checked as above; at most
 * @max_size bytes (else G_IO_ERROR_MESSAGE_TOO_LARGE). */
GBytes *lm_state_dir_read (const LmStateDir *dir, const char *name, gsize max_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_is_unusable: whether an error of lm_state_dir_read() says that what
 * has the name must not or cannot be used. Other errors but _NOT_FOUND say that it
 * could not be read now. */
gboolean lm_state_dir_is_unusable (const GError *error);

/** lm_state_dir_write: replaces the file @name in it, whole or not at all, durable
 * when it returns. It is written as "@name.new" first, so the caller holds a lock
 * that keeps other writers of @name out. Blocks on the disk. */
gboolean lm_state_dir_write (const LmStateDir *dir, const char *name, const void *data, gsize size, guint mode,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_remove_file: removes the file @name in it; one that is missing is
 * success. */
gboolean lm_state_dir_remove_file (const LmStateDir *dir, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
