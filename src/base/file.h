/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Durable creation of files. Order everywhere: fsync file, publish, fsync
 * directory, and only then any record that speaks of it. Errors: G_IO_ERROR. */
#include <gio/gio.h>

/** lm_file_write: replaces @path by @size bytes, whole or not at all, durable
 * when it returns; @mode are its permission bits. Blocks on the disk. */
gboolean lm_file_write (const char *path, const void *data, gsize size, int mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_write_unsynced: the same for what can be made again: whole or not at
 * all, but it may be lost by a crash. */
gboolean lm_file_write_unsynced (const char *path, const void *data, gsize size, int mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_read: the whole of @path, refused above @max_size bytes
 * (G_IO_ERROR_MESSAGE_TOO_LARGE). Pipes and the like, which may never give
 * anything, are waited for until @cancellable is cancelled; without one only a
 * regular file is read (G_IO_ERROR_NOT_REGULAR_FILE). */
GBytes *lm_file_read (const char *path, gsize max_size, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_publish: renames @from to @to, never replacing (G_IO_ERROR_EXISTS
 * when @to is there), both below @dir_fd, then fsyncs @to's directory. The
 * caller has fsynced the file. */
gboolean lm_file_publish (int dir_fd, const char *from, const char *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_sync_dir: fsyncs the directory @path. */
gboolean lm_file_sync_dir (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A mode for lm_file_make_dir(): what the umask leaves of 0777. */
#define LM_FILE_MODE_UMASK (-1)

/** lm_file_make_dir: makes @path and its missing parents with exactly @mode,
 * whatever the umask: a QEMU user must reach what lies there, or must not. Each
 * is durable when it returns. A directory that is there already is left as it is. */
gboolean lm_file_make_dir (const char *path, int mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_restrict_mode: removes the permission bits that are not in @mode from
 * the file or directory @path, if it exists. What another user owns stays as it
 * is, without an error. Follows no symbolic link. */
void lm_file_restrict_mode (const char *path, int mode);

/** lm_file_list_dir: the names in the directory @path, without "." and "..",
 * sorted; strings, newly allocated. An error on the way is one, not the end. */
GPtrArray *lm_file_list_dir (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_list_fd: the same of the open directory @fd, which it closes; @path is
 * for messages. A negative @fd is an error that errno tells. */
GPtrArray *lm_file_list_fd (int fd, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_find_closed_dir: the first directory on the absolute @path, its last
 * part left out, that the user @uid cannot pass by its mode, newly allocated;
 * G_MAXUINT: somebody who is neither owner nor in its group. NULL: none. One that
 * is not there, or has an access control list, counts as passable. */
char *lm_file_find_closed_dir (const char *path, guint uid);

/** lm_file_remove_tree: removes the directory @path and what is in it,
 * following no symbolic link; a missing @path is success. */
gboolean lm_file_remove_tree (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
