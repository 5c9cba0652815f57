/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Durable creation of files. The order is the same everywhere: fsync the file,
 * publish it, fsync the directory, and only then write a record that refers to it.
 * Errors: G_IO_ERROR. */
#include <gio/gio.h>

/** lm_file_write: atomically replaces @path with @size bytes of @data and
 * permission bits @mode. The file is durable when the function returns. Blocks on
 * the disk. While it is being written, the file has the name @path,
 * LM_FILE_TEMPORARY_MARK and six letters or digits, and is locked with flock(2); a
 * file with such a name that is not locked is a leftover of a killed process. */
gboolean lm_file_write (const char *path, const void *data, gsize size, int mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_write_at: like lm_file_write(), for the file @name in the open directory
 * @dir_fd; messages call it @shown. */
gboolean lm_file_write_at (int dir_fd, const char *name, const char *shown, const void *data, gsize size, int mode,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_write_unsynced: like lm_file_write(), but does not sync, so a crash may
 * lose the file. For data that can be generated again. */
gboolean lm_file_write_unsynced (const char *path, const void *data, gsize size, int mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What lm_file_write() appends to the final name, before six random characters.
 * Nobody would choose such a name by hand, so files that have one may be removed. */
#define LM_FILE_TEMPORARY_MARK ".lamina-tmp."

/** lm_file_temporary_name: returns a random name of the form described at
 * lm_file_write(), for the final name @name; newly allocated. */
char *lm_file_temporary_name (const char *name);

/** lm_file_lock_temporary: locks the new file or directory @fd, which has the name
 * @name of lm_file_temporary_name() in @dir_fd, until @fd is closed. *out_kept is
 * FALSE if another process took it for a leftover before that: it has been removed,
 * or is about to be, and the caller creates another one. Does not wait. */
gboolean lm_file_lock_temporary (int fd, int dir_fd, const char *name, gboolean *out_kept, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_make_temporary: creates a file of mode 0600 with a name of
 * lm_file_temporary_name() for @name in @dir_fd, and locks it. Returns a descriptor,
 * or -1 on error; the caller gives the file its final name or removes it. Messages
 * call it @shown. *out_name is newly allocated. */
int lm_file_make_temporary (int dir_fd, const char *name, const char *shown, char **out_name,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_written_name: if @name is a name that lm_file_write() gives to a file
 * while writing it, returns the final name, newly allocated; else NULL. */
char *lm_file_written_name (const char *name);

/** lm_file_remove_leftover: removes the regular file @name from the directory
 * @dir_fd unless a process is writing it. The caller has checked with
 * lm_file_written_name() that it is such a file. Errors are ignored. */
void lm_file_remove_leftover (int dir_fd, const char *name);

/** lm_file_read: reads all of @path; a file of more than @max_size bytes is refused
 * (G_IO_ERROR_MESSAGE_TOO_LARGE). A pipe or device, which may never return data, is
 * read until its end, until no data has arrived for 30 seconds
 * (G_IO_ERROR_TIMED_OUT; not for a terminal) or until @cancellable is cancelled; if
 * @cancellable is NULL, only a regular file is accepted
 * (G_IO_ERROR_NOT_REGULAR_FILE). Blocks. */
GBytes *lm_file_read (const char *path, gsize max_size, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_publish: renames @from to @to, both relative to @dir_fd, and fsyncs the
 * directory of @to. Never replaces a file (G_IO_ERROR_EXISTS). The caller has
 * already fsynced the file. */
gboolean lm_file_publish (int dir_fd, const char *from, const char *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_sync_dir: fsyncs the directory @path. */
gboolean lm_file_sync_dir (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For lm_file_make_dir(): mode 0777 as modified by the umask. */
#define LM_FILE_MODE_UMASK (-1)

/** lm_file_make_dir: creates @path and its missing parents with exactly @mode,
 * regardless of the umask, because it decides whether the user of QEMU can reach
 * what is inside. Each new directory is durable when the function returns. A
 * directory that exists is not changed. */
gboolean lm_file_make_dir (const char *path, int mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_restrict_mode: removes the permission bits that are not in @mode from
 * the file or directory @path, if it exists. If another user owns it, nothing
 * happens and there is no error. Does not follow symbolic links. */
void lm_file_restrict_mode (const char *path, int mode);

/** lm_file_list_dir: returns the names in the directory @path except "." and "..",
 * sorted; newly allocated strings. An error while reading is reported; it never
 * yields a shorter list. */
GPtrArray *lm_file_list_dir (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_list_fd: like lm_file_list_dir(), for the open directory @fd, which it
 * closes. @path is used in messages. If @fd is negative, the error is taken from
 * errno. */
GPtrArray *lm_file_list_fd (int fd, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_find_closed_dir: returns the first parent directory of the absolute
 * @path that the user @uid may not search according to its mode, newly allocated,
 * or NULL if there is none. @uid G_MAXUINT stands for a user who is neither the
 * owner nor in the group of any of them. A directory that cannot be examined, or
 * has an access control list, counts as searchable. */
char *lm_file_find_closed_dir (const char *path, guint uid);

/** lm_file_remove_tree: removes the directory @path and its contents without
 * following symbolic links. What is mounted below it is left, with G_IO_ERROR_BUSY. Succeeds if @path does not exist. */
gboolean lm_file_remove_tree (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_is_same_path: whether both paths, of files that may not exist, refer to the same
 * name in the same directory, to which there can be several paths. FALSE if one is NULL. A
 * symbolic link with that name is not followed. */
gboolean lm_file_is_same_path (const char *a, const char *b);
