/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/testenv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MAX_GROUPS 256
#define POLL_MS 20
#define SILENCE_MS 30000
#define TEMPORARY_LENGTH 6

char *
lm_file_temporary_name (const char *name)
{
  static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  char random[TEMPORARY_LENGTH + 1] = "";
  for (guint i = 0; i < TEMPORARY_LENGTH; i++)
    random[i] = characters[g_random_int_range (0, sizeof characters - 1)];
  return g_strconcat (name, LM_FILE_TEMPORARY_MARK, random, NULL);
}

gboolean
lm_file_lock_temporary (int fd, int dir_fd, const char *name, gboolean *out_kept, GError **error)
{
  *out_kept = FALSE;
  if (flock (fd, LOCK_EX | LOCK_NB) < 0)
    return errno == EWOULDBLOCK || lm_throw_errno (error, "cannot lock %s", name);
  return lm_fd_has_name (fd, dir_fd, name, out_kept, error);
}

int
lm_file_make_temporary (int dir_fd, const char *name, const char *shown, char **out_name, GError **error)
{
  for (;;)
    {
      g_autofree char *temporary = lm_file_temporary_name (name);
      lm_autofd int fd
        = openat (dir_fd, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
      gboolean kept;
      if (fd < 0 && errno == EEXIST)
        continue;
      if (fd < 0)
        {
          lm_throw_errno (error, "cannot create a temporary file for %s", shown);
          return -1;
        }
      if (!lm_file_lock_temporary (fd, dir_fd, temporary, &kept, error))
        {
          (void) unlinkat (dir_fd, temporary, 0);
          return -1;
        }
      if (!kept)
        continue;
      *out_name = g_steal_pointer (&temporary);
      return lm_fd_steal (&fd);
    }
}

static gboolean
replace_file (int dir_fd, const char *name, const char *shown, const void *data, gsize size, gboolean sync, int mode,
              GError **error)
{
  g_autofree char *temporary = NULL;
  lm_autofd int fd = lm_file_make_temporary (dir_fd, name, shown, &temporary, error);
  if (fd < 0)
    return FALSE;
  gboolean written = lm_fd_write_all (fd, data, size, error) && lm_fault_point ("file-before-rename", error);
  if (!written)
    g_prefix_error (error, "cannot write %s: ", shown);
  else if (fchmod (fd, (mode_t) mode) < 0 || (sync && fsync (fd) < 0) || renameat (dir_fd, temporary, dir_fd, name) < 0)
    written = lm_throw_errno (error, "cannot write %s", shown);
  if (!written)
    (void) unlinkat (dir_fd, temporary, 0);
  return written;
}

char *
lm_file_written_name (const char *name)
{
  gsize length = strlen (name), added = strlen (LM_FILE_TEMPORARY_MARK) + TEMPORARY_LENGTH;
  if (length <= added || !g_str_has_prefix (name + length - added, LM_FILE_TEMPORARY_MARK))
    return NULL;
  for (const char *p = name + length - TEMPORARY_LENGTH; *p; p++)
    if (!g_ascii_isalnum (*p))
      return NULL;
  return g_strndup (name, length - added);
}

void
lm_file_remove_leftover (int dir_fd, const char *name)
{
  lm_autofd int fd = openat (dir_fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat st;
  gboolean same;
  if (fd >= 0 && fstat (fd, &st) == 0 && S_ISREG (st.st_mode) && flock (fd, LOCK_EX | LOCK_NB) == 0
      && lm_fd_has_name (fd, dir_fd, name, &same, NULL) && same)
    (void) unlinkat (dir_fd, name, 0);
}

gboolean
lm_file_write_unsynced (const char *path, const void *data, gsize size, int mode, GError **error)
{
  return replace_file (AT_FDCWD, path, path, data, size, FALSE, mode, error);
}

gboolean
lm_file_write (const char *path, const void *data, gsize size, int mode, GError **error)
{
  if (!lm_fault_point ("file-write", error) || !replace_file (AT_FDCWD, path, path, data, size, TRUE, mode, error))
    return FALSE;
  g_autofree char *dir = g_path_get_dirname (path);
  return lm_file_sync_dir (dir, error);
}

gboolean
lm_file_write_at (int dir_fd, const char *name, const char *shown, const void *data, gsize size, int mode, GError **error)
{
  if (!lm_fault_point ("file-write", error) || !replace_file (dir_fd, name, shown, data, size, TRUE, mode, error))
    return FALSE;
  return fsync (dir_fd) == 0 || lm_throw_errno (error, "cannot sync the directory of %s", shown);
}

/* Waits until the non-blocking @fd can be read; for a terminal without limit,
 * otherwise no longer than SILENCE_MS. Polls in short steps because
 * g_cancellable_make_pollfd() aborts the process when no descriptor is left. */
static gboolean
wait_readable (int fd, GCancellable *cancellable, GError **error)
{
  GPollFD poll_fd = { .fd = fd, .events = G_IO_IN };
  gint64 silence = lm_testenv_get (LM_TESTENV_NO_DELAY) ? 1000 : SILENCE_MS;
  gint64 end = isatty (fd) ? G_MAXINT64 : g_get_monotonic_time () + silence * 1000;
  while (!g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      if (g_poll (&poll_fd, 1, POLL_MS) > 0)
        return TRUE;
      if (g_get_monotonic_time () > end)
        return lm_throw (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                         "no data has arrived from this pipe or device for %d s", SILENCE_MS / 1000);
    }
  return FALSE;
}

/* Like lm_fd_read_full(), for a descriptor whose data may arrive late or never. */
static gboolean
read_stream (int fd, guint8 *buffer, gsize size, gsize *out_read, GCancellable *cancellable, GError **error)
{
  for (*out_read = 0; *out_read < size;)
    {
      if (!wait_readable (fd, cancellable, error))
        return FALSE;
      ssize_t n = read (fd, buffer + *out_read, size - *out_read);
      if (n == 0)
        break;
      if (n < 0 && errno != EINTR && errno != EAGAIN)
        return lm_throw_errno (error, "read");
      if (n > 0)
        *out_read += (gsize) n;
    }
  return TRUE;
}

GBytes *
lm_file_read (const char *path, gsize max_size, GCancellable *cancellable, GError **error)
{
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    return lm_throw_errno_null (error, "cannot open %s", path);
  struct stat st;
  if (fstat (fd, &st) < 0)
    return lm_throw_errno_null (error, "cannot stat %s", path);
  if (S_ISDIR (st.st_mode))
    return lm_throw_null (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY, "%s is a directory", path);
  gboolean regular = S_ISREG (st.st_mode);
  if (!regular && cancellable == NULL)
    return lm_throw_null (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "%s is not a regular file", path);

  g_autoptr (GByteArray) array = g_byte_array_new ();
  if (regular && st.st_size > 0 && (guint64) st.st_size <= max_size)
    g_byte_array_set_size (array, (guint) st.st_size);
  gsize used = 0;
  for (;;)
    {
      if (used == array->len)
        g_byte_array_set_size (array, array->len + 64 * 1024);
      gsize n;
      if (regular ? !lm_fd_read_full (fd, array->data + used, array->len - used, &n, error)
                  : !read_stream (fd, array->data + used, array->len - used, &n, cancellable, error))
        {
          g_prefix_error (error, "%s: ", path);
          return NULL;
        }
      used += n;
      if (used > max_size)
        return lm_throw_null (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                              "%s is larger than the limit of %" G_GSIZE_FORMAT " bytes", path, max_size);
      if (used < array->len)
        break;
    }
  g_byte_array_set_size (array, (guint) used);
  return g_byte_array_free_to_bytes (g_steal_pointer (&array));
}

gboolean
lm_file_sync_dir (const char *path, GError **error)
{
  lm_autofd int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || fsync (fd) < 0)
    return lm_throw_errno (error, "cannot sync directory %s", path);
  return TRUE;
}

static gboolean
rename_noreplace (int dir_fd, const char *from, const char *to)
{
#ifdef HAVE_RENAMEAT2
  if (renameat2 (dir_fd, from, dir_fd, to, RENAME_NOREPLACE) == 0)
    return TRUE;
  if (errno != EINVAL && errno != ENOSYS)
    return FALSE;
#endif
  /* NFS and other file systems do not know RENAME_NOREPLACE; link() never replaces
   * a file either. */
  if (linkat (dir_fd, from, dir_fd, to, 0) < 0)
    return FALSE;
  (void) unlinkat (dir_fd, from, 0);
  return TRUE;
}

gboolean
lm_file_publish (int dir_fd, const char *from, const char *to, GError **error)
{
  if (!lm_fault_point ("publish-before-rename", error))
    return FALSE;
  if (!rename_noreplace (dir_fd, from, to))
    return lm_throw_errno (error, "cannot publish %s as %s", from, to);
  if (!lm_fault_point ("publish-after-rename", error))
    return FALSE;

  g_autofree char *dir = g_path_get_dirname (to);
  lm_autofd int fd = openat (dir_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || fsync (fd) < 0)
    return lm_throw_errno (error, "cannot sync the directory of %s", to);
  return TRUE;
}

/* Creates one directory and makes it durable in its parent; on FALSE errno is set. */
static gboolean
create_durable_dir (const char *path, int mode)
{
  if (mkdir (path, mode == LM_FILE_MODE_UMASK ? 0777 : (mode_t) mode) == 0)
    {
      g_autofree char *parent = g_path_get_dirname (path);
      lm_autofd int fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      /* Without read permission on the parent it cannot be synced; the new
       * directory is usable nevertheless. */
      if (fd < 0 ? errno != EACCES : fsync (fd) < 0)
        return FALSE;
      return mode == LM_FILE_MODE_UMASK || chmod (path, (mode_t) mode) == 0;
    }
  struct stat st;
  if (errno != EEXIST || stat (path, &st) < 0)
    return FALSE;
  errno = ENOTDIR;
  return S_ISDIR (st.st_mode);
}

gboolean
lm_file_make_dir (const char *path, int mode, GError **error)
{
  if (create_durable_dir (path, mode))
    return TRUE;
  int failure = errno;
  g_autofree char *parent = g_path_get_dirname (path);
  if (failure == ENOENT && strcmp (parent, path) != 0)
    {
      if (!lm_file_make_dir (parent, mode, error))
        return FALSE;
      if (create_durable_dir (path, mode))
        return TRUE;
      failure = errno;
    }
  errno = failure;
  return lm_throw_errno (error, "cannot create directory %s", path);
}

void
lm_file_restrict_mode (const char *path, int mode)
{
  lm_autofd int fd = open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat st;
  if (fd >= 0 && fstat (fd, &st) == 0 && (st.st_mode & 07777 & ~(mode_t) mode) != 0)
    (void) fchmod (fd, st.st_mode & (mode_t) mode);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

GPtrArray *
lm_file_list_fd (int fd, const char *path, GError **error)
{
  DIR *dir = fd < 0 ? NULL : fdopendir (fd);
  if (dir == NULL)
    {
      lm_throw_errno (error, "cannot read the directory %s", path);
      lm_fd_clear (&fd);
      return NULL;
    }
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  struct dirent *entry;
  for (errno = 0; (entry = readdir (dir)) != NULL; errno = 0)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      g_ptr_array_add (names, g_strdup (entry->d_name));
  gboolean whole = errno == 0 || lm_throw_errno (error, "cannot read the directory %s", path);
  closedir (dir);
  if (!whole)
    return NULL;
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

GPtrArray *
lm_file_list_dir (const char *path, GError **error)
{
  return lm_file_list_fd (open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path, error);
}

/* What is mounted there is somebody's. */
static gboolean
check_file_system (int fd, int sub, const char *below, GError **error)
{
  struct stat st, st_below;
  if (fstat (fd, &st) < 0 || fstat (sub, &st_below) < 0)
    return lm_throw_errno (error, "cannot stat %s", below);
  return st.st_dev == st_below.st_dev
         || lm_throw (error, G_IO_ERROR, G_IO_ERROR_BUSY, "%s is not removed: another file system is mounted there; unmount it", below);
}

/* Removes everything in the open directory @fd. */
static gboolean
remove_contents (int fd, const char *path, GError **error)
{
  g_autoptr (GPtrArray) names = lm_file_list_fd (openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), path, error);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      if (unlinkat (fd, name, 0) == 0)
        continue;
      g_autofree char *below = g_build_filename (path, name, NULL);
      if (errno != EISDIR && errno != EPERM)
        return lm_throw_errno (error, "cannot remove %s", below);
      lm_autofd int sub = openat (fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (sub < 0)
        return lm_throw_errno (error, "cannot open %s", below);
      if (!check_file_system (fd, sub, below, error) || !remove_contents (sub, below, error))
        return FALSE;
      if (unlinkat (fd, name, AT_REMOVEDIR) < 0)
        return lm_throw_errno (error, "cannot remove %s", below);
    }
  return names != NULL;
}

gboolean
lm_file_remove_tree (const char *path, GError **error)
{
  lm_autofd int fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return errno == ENOENT ? TRUE : lm_throw_errno (error, "cannot open %s", path);
  if (!remove_contents (fd, path, error))
    return FALSE;
  if (rmdir (path) < 0 && errno != ENOENT)
    return lm_throw_errno (error, "cannot remove %s", path);
  return TRUE;
}

static gboolean
is_group_member (guint uid, gid_t gid)
{
  const struct passwd *user = getpwuid (uid);
  gid_t groups[MAX_GROUPS];
  int count = G_N_ELEMENTS (groups);
  if (user == NULL || getgrouplist (user->pw_name, user->pw_gid, groups, &count) < 0)
    return FALSE;
  for (int i = 0; i < count; i++)
    if (groups[i] == gid)
      return TRUE;
  return FALSE;
}

static gboolean
can_search (const char *dir, guint uid)
{
  struct stat st;
  if (stat (dir, &st) < 0 || getxattr (dir, "system.posix_acl_access", NULL, 0) > 0)
    return TRUE;
  if (st.st_uid == uid)
    return (st.st_mode & S_IXUSR) != 0;
  return (st.st_mode & (uid != G_MAXUINT && is_group_member (uid, st.st_gid) ? S_IXGRP : S_IXOTH)) != 0;
}

char *
lm_file_find_closed_dir (const char *path, guint uid)
{
  for (const char *slash = strchr (path + 1, '/'); slash != NULL; slash = strchr (slash + 1, '/'))
    {
      g_autofree char *dir = g_strndup (path, (gsize) (slash - path));
      if (!can_search (dir, uid))
        return g_steal_pointer (&dir);
    }
  return NULL;
}

gboolean
lm_file_is_same_path (const char *a, const char *b)
{
  if (a == NULL || b == NULL)
    return FALSE;
  g_autofree char *dir_a = g_path_get_dirname (a);
  g_autofree char *dir_b = g_path_get_dirname (b);
  g_autofree char *name_a = g_path_get_basename (a);
  g_autofree char *name_b = g_path_get_basename (b);
  char *real_a = realpath (dir_a, NULL);
  char *real_b = realpath (dir_b, NULL);
  gboolean same = strcmp (a, b) == 0
                  || (real_a != NULL && g_strcmp0 (real_a, real_b) == 0 && strcmp (name_a, name_b) == 0);
  free (real_a);
  free (real_b);
  return same;
}
