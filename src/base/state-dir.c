/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/state-dir.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITABLE_BY_OTHERS (S_IWGRP | S_IWOTH)

struct _LmStateDir
{
  char *path;
  int fd; /* -1: missing */
  gboolean readonly;
};

/* The check that everything in the state directory must pass. */
static gboolean
check_trusted (const struct stat *st, const char *path, GError **error)
{
  if (st->st_uid != geteuid () && st->st_uid != 0)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                     "%s belongs to user %u, whose files are not trusted; use another --state-dir", path,
                     (guint) st->st_uid);
  if ((st->st_mode & WRITABLE_BY_OTHERS) == 0)
    return TRUE;
  return lm_throw (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                   "%s is writable by %s, so it is not trusted; make sure that its contents are yours, then run "
                   "\"chmod %s\" on it",
                   path, (st->st_mode & S_IWOTH) != 0 ? "everyone" : "its group",
                   (st->st_mode & S_IWOTH) != 0 ? "go-w" : "g-w");
}

static LmStateDir *
new_dir (char *path, int fd, gboolean readonly)
{
  LmStateDir *dir = g_new0 (LmStateDir, 1);
  dir->path = path;
  dir->fd = fd;
  dir->readonly = readonly;
  return dir;
}

/* Takes ownership of @path and @fd. */
static LmStateDir *
new_checked_dir (char *path, int fd, gboolean readonly, GError **error)
{
  g_autoptr (LmStateDir) dir = new_dir (path, fd, readonly);
  struct stat st;
  if (fstat (fd, &st) < 0)
    return lm_throw_errno_null (error, "cannot stat %s", path);
  return check_trusted (&st, path, error) ? g_steal_pointer (&dir) : NULL;
}

static gboolean
create_state_dir (const char *path, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (path);
  return lm_file_make_dir (parent, geteuid () == 0 ? 0755 : LM_FILE_MODE_UMASK, error)
         && lm_file_make_dir (path, 0755, error);
}

LmStateDir *
lm_state_dir_open (const char *path, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  int fd = open (absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    {
      if (!create_state_dir (absolute, error))
        return NULL;
      fd = open (absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
  if (fd < 0)
    return lm_throw_errno_null (error, "cannot open %s", absolute);
  return new_checked_dir (g_steal_pointer (&absolute), fd, FALSE, error);
}

LmStateDir *
lm_state_dir_open_readonly (const char *path, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  int fd = open (absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return new_dir (g_steal_pointer (&absolute), -1, TRUE);
  if (fd < 0)
    return lm_throw_errno_null (error, "cannot open %s", absolute);
  return new_checked_dir (g_steal_pointer (&absolute), fd, TRUE, error);
}

static gboolean
create_below (const LmStateDir *dir, const char *name, const char *path, guint mode, GError **error)
{
  if (mkdirat (dir->fd, name, mode) < 0)
    return errno == EEXIST || lm_throw_errno (error, "cannot create directory %s", path);
  if (fchmodat (dir->fd, name, mode, 0) < 0 || fsync (dir->fd) < 0)
    return lm_throw_errno (error, "cannot create directory %s", path);
  return TRUE;
}

LmStateDir *
lm_state_dir_open_below (LmStateDir *dir, const char *name, guint mode, GError **error)
{
  g_return_val_if_fail (strchr (name, '/') == NULL && *name != '.', NULL);
  g_autofree char *path = g_build_filename (dir->path, name, NULL);
  if (dir->fd < 0)
    return new_dir (g_steal_pointer (&path), -1, TRUE);
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat (dir->fd, name, flags);
  if (fd < 0 && errno == ENOENT && dir->readonly)
    return new_dir (g_steal_pointer (&path), -1, TRUE);
  if (fd < 0 && errno == ENOENT)
    {
      if (!create_below (dir, name, path, mode, error))
        return NULL;
      fd = openat (dir->fd, name, flags);
    }
  struct stat st;
  if (fd < 0 && errno == ENOTDIR && fstatat (dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK (st.st_mode))
    return lm_throw_null (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                          "%s is a symbolic link; replace it with a directory, or move the state directory with "
                          "--state-dir",
                          path);
  if (fd < 0)
    return lm_throw_errno_null (error, "cannot open directory %s", path);
  return new_checked_dir (g_steal_pointer (&path), fd, dir->readonly, error);
}

/* Locks the new directory @name in @dir and sets its mode; *out_fd is -1 if another
 * process took it for a leftover. */
static gboolean
lock_new_dir (LmStateDir *dir, const char *name, guint mode, int *out_fd, GError **error)
{
  lm_autofd int fd = openat (dir->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  gboolean kept;
  *out_fd = -1;
  if (fd < 0)
    return errno == ENOENT || lm_throw_errno (error, "cannot open directory %s/%s", dir->path, name);
  if (!lm_file_lock_temporary (fd, dir->fd, name, &kept, error))
    return FALSE;
  if (kept && fchmod (fd, mode) < 0)
    return lm_throw_errno (error, "cannot create directory %s/%s", dir->path, name);
  if (kept)
    *out_fd = lm_fd_steal (&fd);
  return TRUE;
}

LmStateDir *
lm_state_dir_begin_below (LmStateDir *dir, const char *name, guint mode, GError **error)
{
  g_return_val_if_fail (dir->fd >= 0, NULL);
  for (;;)
    {
      g_autofree char *temporary = lm_file_temporary_name (name);
      g_autofree char *path = g_build_filename (dir->path, temporary, NULL);
      int fd;
      if (mkdirat (dir->fd, temporary, 0700) < 0)
        {
          if (errno == EEXIST)
            continue;
          return lm_throw_errno_null (error, "cannot create directory %s", path);
        }
      if (!lock_new_dir (dir, temporary, mode, &fd, error))
        {
          (void) unlinkat (dir->fd, temporary, AT_REMOVEDIR);
          return NULL;
        }
      if (fd >= 0)
        return new_dir (g_steal_pointer (&path), fd, FALSE);
    }
}

gboolean
lm_state_dir_publish_below (LmStateDir *dir, LmStateDir *begun, const char *name, GError **error)
{
  g_autofree char *temporary = g_path_get_basename (begun->path);
  g_autofree char *path = g_build_filename (dir->path, name, NULL);
  if (renameat (dir->fd, temporary, dir->fd, name) < 0)
    return lm_throw_errno (error, "cannot create directory %s", path);
  g_free (begun->path);
  begun->path = g_steal_pointer (&path);
  return fsync (dir->fd) == 0 || lm_throw_errno (error, "cannot sync directory %s", dir->path);
}

void
lm_state_dir_remove_begun (const LmStateDir *dir, const char *name, gboolean (*owns) (const char *name))
{
  lm_autofd int fd = openat (dir->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  gboolean unused;
  if (fd < 0 || !lm_file_lock_temporary (fd, dir->fd, name, &unused, NULL) || !unused)
    return;
  g_autoptr (GPtrArray) files = lm_file_list_fd (openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), name, NULL);
  for (guint i = 0; files != NULL && i < files->len; i++)
    {
      const char *file = g_ptr_array_index (files, i);
      g_autofree char *written = lm_file_written_name (file);
      if (owns (written != NULL ? written : file))
        (void) unlinkat (fd, file, 0);
    }
  (void) unlinkat (dir->fd, name, AT_REMOVEDIR);
}

void
lm_state_dir_close (LmStateDir *dir)
{
  if (dir == NULL)
    return;
  lm_fd_clear (&dir->fd);
  g_free (dir->path);
  g_free (dir);
}

const char *
lm_state_dir_get_path (const LmStateDir *dir)
{
  return dir->path;
}

int
lm_state_dir_get_fd (const LmStateDir *dir)
{
  return dir->fd;
}

GPtrArray *
lm_state_dir_list (const LmStateDir *dir, GError **error)
{
  if (dir->fd < 0)
    return g_ptr_array_new_with_free_func (g_free);
  /* A new open file description, because a duplicate would share its read position. */
  return lm_file_list_fd (openat (dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir->path, error);
}

int
lm_state_dir_open_file (const LmStateDir *dir, const char *name, GError **error)
{
  if (dir->fd < 0)
    {
      lm_throw (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "%s is missing", dir->path);
      return -1;
    }
  /* O_NONBLOCK: opening a FIFO must not wait. */
  lm_autofd int fd = openat (dir->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  g_autofree char *path = g_build_filename (dir->path, name, NULL);
  struct stat st;
  if (fd < 0 && errno == ELOOP)
    {
      lm_throw (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "%s is a symbolic link, which is not followed", path);
      return -1;
    }
  if (fd < 0 || fstat (fd, &st) < 0)
    {
      lm_throw_errno (error, "cannot open %s", path);
      return -1;
    }
  if (!S_ISREG (st.st_mode))
    {
      lm_throw (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "%s is not a regular file", path);
      return -1;
    }
  return check_trusted (&st, path, error) ? lm_fd_steal (&fd) : -1;
}

GBytes *
lm_state_dir_read (const LmStateDir *dir, const char *name, gsize max_size, GError **error)
{
  lm_autofd int fd = lm_state_dir_open_file (dir, name, error);
  g_autofree char *path = g_build_filename (dir->path, name, NULL);
  return fd >= 0 ? lm_fd_read_bytes (fd, path, max_size, error) : NULL;
}

gboolean
lm_state_dir_write (const LmStateDir *dir, const char *name, const void *data, gsize size, guint mode, GError **error)
{
  g_return_val_if_fail (dir->fd >= 0, FALSE);
  g_autofree char *path = g_build_filename (dir->path, name, NULL);
  return lm_file_write_at (dir->fd, name, path, data, size, (int) mode, error);
}

gboolean
lm_state_dir_remove_file (const LmStateDir *dir, const char *name, GError **error)
{
  if (dir->fd < 0 || unlinkat (dir->fd, name, 0) == 0 || errno == ENOENT)
    return TRUE;
  return lm_throw_errno (error, "cannot remove %s/%s", dir->path, name);
}

void
lm_state_dir_remove_leftovers (const LmStateDir *dir, gboolean (*owns) (const char *name))
{
  g_autoptr (GPtrArray) names = lm_state_dir_list (dir, NULL);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *written = lm_file_written_name (name);
      if (written != NULL && owns (written))
        lm_file_remove_leftover (dir->fd, name);
    }
}

gboolean
lm_state_dir_is_unusable (const GError *error)
{
  static const GIOErrorEnum codes[] = { G_IO_ERROR_PERMISSION_DENIED, G_IO_ERROR_NOT_REGULAR_FILE, G_IO_ERROR_IS_DIRECTORY,
                                        G_IO_ERROR_NOT_DIRECTORY, G_IO_ERROR_MESSAGE_TOO_LARGE };
  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    if (g_error_matches (error, G_IO_ERROR, (int) codes[i]))
      return TRUE;
  return FALSE;
}
