/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The state directory, which holds everything that lamina keeps, and the
 * directories in it. Their contents are trusted, so the same check applies to all
 * of them: a directory or file must belong to this user or to root, must not be
 * writable by its group or by others, and no name below the state directory may be
 * a symbolic link. A directory is checked when it is opened and is used through its
 * descriptor from then on.
 *
 * Errors are G_IO_ERROR; _PERMISSION_DENIED is also used when another user could
 * have written the file. Only a missing file is _NOT_FOUND; a directory that cannot
 * be read is never treated as empty. */
#include <gio/gio.h>

/* The state directory, or a directory below it. */
typedef struct _LmStateDir LmStateDir;

/** lm_state_dir_open: opens the state directory @path and creates it if missing
 * (mode 0755, so that the user of QEMU can reach the layers). Its missing parents
 * get mode 0755 as well if the caller is root; for other users, whose QEMU runs
 * with their own rights, the umask applies. @path itself may be a symbolic link,
 * because the user chose it. */
LmStateDir *lm_state_dir_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_open_readonly: like lm_state_dir_open(), but creates nothing,
 * neither @path nor anything below it; what is missing counts as empty. */
LmStateDir *lm_state_dir_open_readonly (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_open_below: opens the directory @name, a single name, in @dir. If
 * missing, it is created with exactly @mode, regardless of the umask, and made
 * durable; if @dir is read-only, it counts as empty. The result does not depend on
 * @dir. */
LmStateDir *lm_state_dir_open_below (LmStateDir *dir, const char *name, guint mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_begin_below: creates a directory in @dir with a name of
 * lm_file_temporary_name(); lm_state_dir_publish_below() renames it to @name. Until
 * the result is closed it is locked, so that lm_state_dir_remove_begun() does not
 * remove it. */
LmStateDir *lm_state_dir_begin_below (LmStateDir *dir, const char *name, guint mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_publish_below: renames @begun to @name in @dir and makes that
 * durable. Replaces an empty directory, but no other. */
gboolean lm_state_dir_publish_below (LmStateDir *dir, LmStateDir *begun, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_remove_begun: removes the directory @name from @dir, which a killed
 * process left between lm_state_dir_begin_below() and lm_state_dir_publish_below();
 * one that a process still uses is kept. Only files for whose final names @owns
 * returns TRUE are removed; if there are others, the directory is kept. Errors are
 * ignored. */
void lm_state_dir_remove_begun (const LmStateDir *dir, const char *name, gboolean (*owns) (const char *name));

/** lm_state_dir_close: frees @dir; NULL is ignored. */
void lm_state_dir_close (LmStateDir *dir);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmStateDir, lm_state_dir_close)

/** lm_state_dir_get_path: returns the absolute path, for messages and for programs
 * that need a path. Owned by @dir. */
const char *lm_state_dir_get_path (const LmStateDir *dir);

/** lm_state_dir_get_fd: returns the descriptor; -1 if the directory is missing.
 * Owned by @dir. */
int lm_state_dir_get_fd (const LmStateDir *dir);

/** lm_state_dir_list: returns the names in @dir except "." and "..", sorted; newly
 * allocated strings. Empty if @dir is missing. */
GPtrArray *lm_state_dir_list (const LmStateDir *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_open_file: opens the regular file @name in @dir for reading and
 * checks it as described above. Returns a descriptor, which the caller closes, or
 * -1 on error. */
int lm_state_dir_open_file (const LmStateDir *dir, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_read: reads all of the file @name in @dir, checked as described
 * above. More than @max_size bytes are refused (G_IO_ERROR_MESSAGE_TOO_LARGE). */
GBytes *lm_state_dir_read (const LmStateDir *dir, const char *name, gsize max_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_is_unusable: whether @error of lm_state_dir_read() says that the
 * file must not or cannot be used at all. Any other error except _NOT_FOUND says
 * that reading failed this time. */
gboolean lm_state_dir_is_unusable (const GError *error);

/** lm_state_dir_write: lm_file_write() of the file @name in @dir. */
gboolean lm_state_dir_write (const LmStateDir *dir, const char *name, const void *data, gsize size, guint mode,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_remove_leftovers: removes from @dir the files that killed processes
 * left behind in lm_file_write(), if @owns returns TRUE for the final name of the
 * file. The caller needs no lock. Errors are ignored. */
void lm_state_dir_remove_leftovers (const LmStateDir *dir, gboolean (*owns) (const char *name));

/** lm_state_dir_remove_file: removes the file @name in @dir; succeeds if it is
 * missing. */
gboolean lm_state_dir_remove_file (const LmStateDir *dir, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
