/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A directory from which any web server can serve a catalog and its files, in the layout of
 * catalog/portable.h. Its readers never meet a missing file: files come before the catalog that
 * names them, and go only after a time of grace. Besides, it has
 *
 *   .lamina-lock     held while it is changed
 *   .lamina-unused   a line "SECONDS NAME" for each file that no catalog names any more,
 *                    since SECONDS after 1970 */
#include "base/lock.h"
#include "cache/cache.h"

typedef struct _LmWebDir LmWebDir;

/* How a file came into it. */
typedef enum
{
  LM_WEB_DIR_THERE,  /* it was there */
  LM_WEB_DIR_CLONED, /* its blocks are shared with the cache (reflink) */
  LM_WEB_DIR_LINKED, /* a hard link */
  LM_WEB_DIR_COPIED,
} LmWebDirHow;

typedef void (*LmWebDirCopyFunc) (guint64 bytes, gpointer user_data);

/** lm_web_dir_open: opens @path for changes; it is created if it is missing, but not its parent.
 * If another process changes it, waits for that, at most a minute,
 * and calls @waiting (which may be NULL). Errors: G_IO_ERROR, LM_LOCK_ERROR. */
LmWebDir *lm_web_dir_open (const char *path, LmLockWaitFunc waiting, gpointer user_data, GCancellable *cancellable,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_web_dir_close: frees @dir; NULL is ignored. A directory that lm_web_dir_open() has created and that is empty is removed. */
void lm_web_dir_close (LmWebDir *dir);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmWebDir, lm_web_dir_close)

/** lm_web_dir_would_copy: whether lm_web_dir_add() would have to copy the file of @blob, which takes as much space as the
 * file has bytes. Tries whether it can be shared, and leaves nothing. Errors: G_IO_ERROR. */
gboolean lm_web_dir_would_copy (LmWebDir *dir, const LmBlob *blob, const char *from, gboolean *out_copy, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/** lm_web_dir_check_space: whether @needed more bytes fit into the directory; LAMINA_TEST_FREE overrides the free space.
 * Errors: G_IO_ERROR_NO_SPACE, with both numbers in the message, and others. */
gboolean lm_web_dir_check_space (LmWebDir *dir, guint64 needed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_web_dir_prepare: creates and opens the directories of the files, to be called before those
 * functions below that change something, and removes what killed runs left. A symbolic link in
 * their place is not followed. Errors: G_IO_ERROR. */
gboolean lm_web_dir_prepare (LmWebDir *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_web_dir_add: makes the directory have the file of @blob, durably and with the right
 * content; @from is its path in the cache, where it was found intact. Cloned if possible, else a
 * hard link (not of an immutable file), else copied; then @on_copied is called for each block with @user_data and the
 * number of bytes so far. @out_how says which. Blocks. Errors:
 * G_IO_ERROR (_INVALID_DATA if the file in the directory has other content, _NO_SPACE). */
gboolean lm_web_dir_add (LmWebDir *dir, const LmBlob *blob, const char *from, LmWebDirCopyFunc on_copied, gpointer user_data,
                         LmWebDirHow *out_how, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_web_dir_read_catalog: returns the text of the catalog; NULL without an error if there is none. */
GBytes *lm_web_dir_read_catalog (LmWebDir *dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_web_dir_write_catalog: replaces the catalog, durably. All files that it names are there. */
gboolean lm_web_dir_write_catalog (LmWebDir *dir, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_web_dir_note_unused: notes since when files are not in @named, the relative names (char *,
 * a set) of what the present catalog names. If @grace_seconds is not negative, removes those that
 * have been unused for as long, and appends their names (char *) to @removed. Files with other
 * names than lamina gives are left alone. Errors: G_IO_ERROR. */
gboolean lm_web_dir_note_unused (LmWebDir *dir, GHashTable *named, gint64 grace_seconds, GPtrArray *removed,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
