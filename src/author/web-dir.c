/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/web-dir.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hasher.h"
#include "base/size.h"
#include "base/testenv.h"
#include "catalog/portable.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define WAIT_MS (60 * 1000)
#define CATALOG_SIZE_MAX (64 * 1024 * 1024)
#define LOCK ".lamina-lock"
#define UNUSED ".lamina-unused"

static const char *const subdirs[] = { "layers", "blobs" };

struct _LmWebDir
{
  char *path;
  int fd;
  int subdir_fds[G_N_ELEMENTS (subdirs)]; /* -1 until they are prepared */
  gboolean created; /* by this run */
  LmLock *lock;
};

/* Returns the descriptor of the directory of the file @name, as lm_portable_file_name() has it,
 * and its name there. What is there by name could be a symbolic link by now. */
static int
find_subdir (const LmWebDir *dir, const char *name, const char **out_base)
{
  for (gsize i = 0; i < G_N_ELEMENTS (subdirs); i++)
    if (g_str_has_prefix (name, subdirs[i]) && name[strlen (subdirs[i])] == '/')
      {
        *out_base = name + strlen (subdirs[i]) + 1;
        return dir->subdir_fds[i];
      }
  g_assert_not_reached ();
}

void
lm_web_dir_close (LmWebDir *dir)
{
  if (dir == NULL)
    return;
  if (dir->lock != NULL)
    lm_lock_remove_file (dir->lock);
  lm_lock_release (dir->lock);
  if (dir->created)
    (void) rmdir (dir->path);
  for (gsize i = 0; i < G_N_ELEMENTS (subdirs); i++)
    lm_fd_clear (&dir->subdir_fds[i]);
  lm_fd_clear (&dir->fd);
  g_free (dir->path);
  g_free (dir);
}

/* Returns the names in @subdir; NULL if it cannot be read. */
static GPtrArray *
list_names (const LmWebDir *dir, const char *subdir, GError **error)
{
  int fd = openat (dir->fd, subdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return lm_throw_errno_null (error, "cannot open %s/%s", dir->path, subdir);
  g_autofree char *shown = g_build_filename (dir->path, subdir, NULL);
  return lm_file_list_fd (fd, shown, error);
}

/* Whether @name is one that lamina gives to files in @subdir. */
static gboolean
is_file_name (const char *subdir, const char *name)
{
  LmDigest digest;
  return lm_digest_from_file_name (name, strcmp (subdir, "layers") == 0 ? ".qcow2" : "", &digest);
}

static void
remove_leftovers (const LmWebDir *dir, const char *subdir)
{
  g_autoptr (GPtrArray) names = list_names (dir, subdir, NULL);
  lm_autofd int fd = openat (dir->fd, subdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  gboolean top = strcmp (subdir, ".") == 0;
  for (guint i = 0; names != NULL && fd >= 0 && i < names->len; i++)
    {
      g_autofree char *written = lm_file_written_name (g_ptr_array_index (names, i));
      if (written != NULL
          && (top ? strcmp (written, LM_PORTABLE_CATALOG) == 0 || strcmp (written, UNUSED) == 0 : is_file_name (subdir, written)))
        lm_file_remove_leftover (fd, g_ptr_array_index (names, i));
    }
}

static gboolean
make_dir (int at, const char *name, const char *shown, GError **error)
{
  return mkdirat (at, name, 0755) == 0 || errno == EEXIST || lm_throw_errno (error, "cannot create %s", shown);
}

LmWebDir *
lm_web_dir_open (const char *path, LmLockWaitFunc waiting, gpointer user_data, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmWebDir) dir = g_new0 (LmWebDir, 1);
  g_autofree char *lock = g_build_filename (path, LOCK, NULL);
  dir->fd = -1;
  for (gsize i = 0; i < G_N_ELEMENTS (subdirs); i++)
    dir->subdir_fds[i] = -1;
  dir->path = g_strdup (path);
  dir->created = mkdir (path, 0755) == 0;
  if (!dir->created && errno != EEXIST)
    return lm_throw_errno_null (error, "cannot create %s", path);
  dir->fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir->fd < 0)
    return lm_throw_errno_null (error, "cannot open %s", path);
  dir->lock = lm_lock_acquire (lock, LM_LOCK_EXCLUSIVE, WAIT_MS, waiting, user_data, cancellable, error);
  return dir->lock != NULL ? g_steal_pointer (&dir) : NULL;
}

gboolean
lm_web_dir_would_copy (LmWebDir *dir, const LmBlob *blob, const char *from, gboolean *out_copy, GError **error)
{
  g_autofree char *name = lm_portable_file_name (blob->kind, &blob->digest);
  g_autofree char *temporary = NULL;
  struct stat st;
  *out_copy = FALSE;
  if (fstatat (dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
    return TRUE;
  lm_autofd int source = open (from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  if (source < 0)
    return lm_throw_errno (error, "cannot open %s", from);
  /* A name of which remove_leftovers() knows. */
  lm_autofd int fd = lm_file_make_temporary (dir->fd, LM_PORTABLE_CATALOG, dir->path, &temporary, error);
  if (fd < 0)
    return FALSE;
  *out_copy = ioctl (fd, FICLONE, source) < 0;
  (void) unlinkat (dir->fd, temporary, 0);
  if (*out_copy && linkat (AT_FDCWD, from, dir->fd, temporary, 0) == 0)
    {
      *out_copy = FALSE;
      (void) unlinkat (dir->fd, temporary, 0);
    }
  return TRUE;
}

gboolean
lm_web_dir_check_space (LmWebDir *dir, guint64 needed, GError **error)
{
  const char *pretended = lm_testenv_get (LM_TESTENV_FREE);
  struct statvfs st;
  if (fstatvfs (dir->fd, &st) < 0)
    return lm_throw_errno (error, "cannot get the free space of %s", dir->path);
  const guint64 available = pretended != NULL ? g_ascii_strtoull (pretended, NULL, 10) : (guint64) st.f_bavail * st.f_frsize;
  if (needed <= available)
    return TRUE;
  g_autofree char *have = lm_size_format (available), *want = lm_size_format (needed);
  return lm_throw (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "%s has %s free, but %s are needed", dir->path, have, want);
}

gboolean
lm_web_dir_prepare (LmWebDir *dir, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (subdirs); i++)
    {
      if (!make_dir (dir->fd, subdirs[i], dir->path, error))
        return FALSE;
      dir->subdir_fds[i] = openat (dir->fd, subdirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
      if (dir->subdir_fds[i] < 0)
        return lm_throw_errno (error, "cannot open %s/%s, which must be a directory and no symbolic link", dir->path, subdirs[i]);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (subdirs); i++)
    remove_leftovers (dir, subdirs[i]);
  remove_leftovers (dir, ".");
  return TRUE;
}

/* Where content goes that is read. */
typedef struct
{
  LmHasher *hasher;
  int to; /* -1 for nowhere else */
  const char *to_shown;
  guint64 bytes;
  LmWebDirCopyFunc on_copied;
  gpointer user_data;
} Copy;

static gboolean
copy_block (gpointer data, const void *block, gsize size, GError **error)
{
  Copy *copy = data;
  g_autoptr (GError) failure = NULL;
  lm_hasher_update (copy->hasher, block, size);
  if (copy->to < 0)
    return TRUE;
  if (lm_fault_point ("publish-before-write", &failure) && lm_fd_write_all (copy->to, block, size, &failure))
    {
      copy->bytes += size;
      copy->on_copied (copy->bytes, copy->user_data);
      return TRUE;
    }
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                     "no space is left for %s; the catalog is as before; free some space, and publish again", copy->to_shown);
  g_propagate_prefixed_error (error, g_steal_pointer (&failure), "cannot write %s: ", copy->to_shown);
  return FALSE;
}

/* Does @copy from @from, and checks that the content has the digest. */
static gboolean
read_content (int from, Copy *copy, const LmBlob *blob, const char *shown, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmHasher) hasher = copy->hasher = lm_hasher_new ();
  LmDigest got;
  if (!lm_fd_read_blocks (from, copy_block, copy, cancellable, error))
    return FALSE;
  lm_hasher_peek (hasher, &got);
  return lm_digest_equal (&got, &blob->digest)
         || lm_throw (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s does not have the content that its name says", shown);
}

/* Sets *out_there to whether the file is there, with the right content. */
static gboolean
check_there (const LmWebDir *dir, const LmBlob *blob, const char *name, const char *from, gboolean *out_there, GCancellable *cancellable,
             GError **error)
{
  struct stat st, from_st;
  g_autofree char *shown = g_build_filename (dir->path, name, NULL);
  const char *base;
  const int at = find_subdir (dir, name, &base);
  lm_autofd int fd = openat (at, base, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  *out_there = fd >= 0;
  if (fd < 0)
    return errno == ENOENT || lm_throw_errno (error, "cannot open %s", shown);
  if (fstat (fd, &st) < 0 || stat (from, &from_st) < 0)
    return lm_throw_errno (error, "cannot stat %s", shown);
  if (st.st_dev == from_st.st_dev && st.st_ino == from_st.st_ino)
    return TRUE;
  Copy nowhere = { .to = -1 };
  return read_content (fd, &nowhere, blob, shown, cancellable, error) || (g_prefix_error (error, "remove it: "), FALSE);
}

/* Anybody may read it. Its owner may write it, so that what a killed run left can be removed. */
static gboolean
finish_file (const LmWebDir *dir, int fd, const char *temporary, const char *name, GError **error)
{
  const char *base;
  const int at = find_subdir (dir, name, &base);
  if (fchmod (fd, 0644) < 0 || fsync (fd) < 0)
    return lm_throw_errno (error, "cannot write %s/%s", dir->path, name);
  return lm_fault_point ("publish-file-before-rename", error) && lm_file_publish (at, temporary, base, error);
}

/* If it has to be copied, @copy says who is told. */
static gboolean
write_file (const LmWebDir *dir, const LmBlob *blob, const char *name, const char *from, Copy *copy, LmWebDirHow *out_how,
            GCancellable *cancellable, GError **error)
{
  g_autofree char *temporary = NULL, *shown = g_build_filename (dir->path, name, NULL);
  lm_autofd int source = open (from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  if (source < 0)
    return lm_throw_errno (error, "cannot open %s", from);
  const char *base;
  const int at = find_subdir (dir, name, &base);
  lm_autofd int fd = lm_file_make_temporary (at, base, name, &temporary, error);
  if (fd < 0)
    return FALSE;
  *out_how = ioctl (fd, FICLONE, source) == 0 ? LM_WEB_DIR_CLONED : LM_WEB_DIR_COPIED;
  /* A hard link has no temporary name: it is complete at once. */
  if (*out_how == LM_WEB_DIR_COPIED && linkat (AT_FDCWD, from, at, base, 0) == 0)
    {
      *out_how = LM_WEB_DIR_LINKED;
      (void) unlinkat (at, temporary, 0);
      return fsync (at) == 0 || lm_throw_errno (error, "cannot sync the directory of %s/%s", dir->path, name);
    }
  copy->to = fd;
  copy->to_shown = shown;
  gboolean good = (*out_how == LM_WEB_DIR_CLONED || read_content (source, copy, blob, from, cancellable, error))
                  && finish_file (dir, fd, temporary, name, error);
  if (!good)
    (void) unlinkat (at, temporary, 0);
  return good;
}

gboolean
lm_web_dir_add (LmWebDir *dir, const LmBlob *blob, const char *from, LmWebDirCopyFunc on_copied, gpointer user_data, LmWebDirHow *out_how,
                GCancellable *cancellable, GError **error)
{
  Copy copy = { .on_copied = on_copied, .user_data = user_data };
  g_autofree char *name = lm_portable_file_name (blob->kind, &blob->digest);
  gboolean there;
  *out_how = LM_WEB_DIR_THERE;
  if (!check_there (dir, blob, name, from, &there, cancellable, error))
    return FALSE;
  return there || write_file (dir, blob, name, from, &copy, out_how, cancellable, error);
}

GBytes *
lm_web_dir_read_catalog (LmWebDir *dir, GError **error)
{
  g_autofree char *path = g_build_filename (dir->path, LM_PORTABLE_CATALOG, NULL);
  g_autoptr (GError) failure = NULL;
  GBytes *text = lm_file_read (path, CATALOG_SIZE_MAX, NULL, &failure);
  if (text == NULL && !g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&failure));
  return text;
}

gboolean
lm_web_dir_write_catalog (LmWebDir *dir, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (dir->path, LM_PORTABLE_CATALOG, NULL);
  return lm_fault_point ("publish-before-catalog", error)
         && lm_file_write_at (dir->fd, LM_PORTABLE_CATALOG, path, text, strlen (text), 0644, error)
         && lm_fault_point ("publish-after-catalog", error);
}

/* Returns name -> time (gint64) of the notes. What is not a note is dropped. */
static GHashTable *
read_notes (const LmWebDir *dir)
{
  g_autofree char *path = g_build_filename (dir->path, UNUSED, NULL);
  g_autoptr (GBytes) bytes = lm_file_read (path, CATALOG_SIZE_MAX, NULL, NULL);
  GHashTable *notes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gsize size = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  g_autofree char *text = g_strndup (data != NULL ? data : "", size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) words = g_strsplit (*line, " ", 2);
      gint64 time;
      if (g_strv_length (words) == 2 && g_ascii_string_to_signed (words[0], 10, 0, G_MAXINT64, &time, NULL))
        g_hash_table_insert (notes, g_strdup (words[1]), g_memdup2 (&time, sizeof time));
    }
  return notes;
}

/* Removes the file @name if it has been unused long enough, otherwise adds a note to @text. */
static gboolean
handle_unused (const LmWebDir *dir, const char *name, const gint64 *since, gint64 grace_seconds, GString *text, GPtrArray *removed,
               GError **error)
{
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  /* A note from the future is of a clock that was wrong. */
  const gint64 time = since != NULL && *since <= now ? *since : now;
  if (grace_seconds < 0 || now - time < grace_seconds)
    {
      g_string_append_printf (text, "%" G_GINT64_FORMAT " %s\n", time, name);
      return TRUE;
    }
  const char *base;
  const int at = find_subdir (dir, name, &base);
  if (unlinkat (at, base, 0) < 0 && errno != ENOENT)
    return lm_throw_errno (error, "cannot remove %s/%s", dir->path, name);
  g_ptr_array_add (removed, g_strdup (name));
  return TRUE;
}

gboolean
lm_web_dir_note_unused (LmWebDir *dir, GHashTable *named, gint64 grace_seconds, GPtrArray *removed, GError **error)
{
  g_autoptr (GHashTable) notes = read_notes (dir);
  g_autoptr (GString) text = g_string_new (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (subdirs); i++)
    {
      g_autoptr (GPtrArray) names = list_names (dir, subdirs[i], error);
      if (names == NULL)
        return FALSE;
      for (guint j = 0; j < names->len; j++)
        {
          g_autofree char *name = g_build_filename (subdirs[i], g_ptr_array_index (names, j), NULL);
          if (is_file_name (subdirs[i], g_ptr_array_index (names, j)) && !g_hash_table_contains (named, name)
              && !handle_unused (dir, name, g_hash_table_lookup (notes, name), grace_seconds, text, removed, error))
            return FALSE;
        }
    }
  g_autofree char *path = g_build_filename (dir->path, UNUSED, NULL);
  if (text->len > 0)
    return lm_file_write_at (dir->fd, UNUSED, path, text->str, text->len, 0644, error);
  return unlinkat (dir->fd, UNUSED, 0) == 0 || errno == ENOENT || lm_throw_errno (error, "cannot remove %s", path);
}
