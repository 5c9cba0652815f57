/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/work-dir.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define NAME "work"

struct _LmWorkDir
{
  char *path;
  int fd; /* keeps the lock that says that the directory is used */
};

static char *
get_parent (LmCache *cache)
{
  return g_build_filename (lm_cache_get_dir (cache), "partial", NULL);
}

/* Creates the directory @name in @parent and locks it; -1 if another process took it for a leftover before that. */
static int
create_locked (int parent_fd, const char *parent, const char *name, GError **error)
{
  gboolean kept = FALSE;
  if (mkdirat (parent_fd, name, 0700) < 0)
    {
      (void) lm_throw_errno (error, "cannot create a directory in %s", parent);
      return -1;
    }
  lm_autofd int fd = openat (parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    {
      if (errno != ENOENT)
        (void) lm_throw_errno (error, "cannot open a directory in %s", parent);
      return -1;
    }
  return lm_file_lock_temporary (fd, parent_fd, name, &kept, error) && kept ? lm_fd_steal (&fd) : -1;
}

LmWorkDir *
lm_work_dir_new (LmCache *cache, GError **error)
{
  g_autofree char *parent = get_parent (cache);
  lm_autofd int parent_fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (parent_fd < 0)
    return lm_throw_errno_null (error, "cannot open %s", parent);
  lm_work_dir_remove_left (cache);
  for (;;)
    {
      g_autoptr (GError) failure = NULL;
      g_autofree char *name = lm_file_temporary_name (NAME);
      const int fd = create_locked (parent_fd, parent, name, &failure);
      if (failure != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return NULL;
        }
      if (fd < 0)
        continue;
      LmWorkDir *dir = g_new0 (LmWorkDir, 1);
      dir->path = g_build_filename (parent, name, NULL);
      dir->fd = fd;
      return dir;
    }
}

void
lm_work_dir_free (LmWorkDir *dir)
{
  if (dir == NULL)
    return;
  g_autoptr (GError) failure = NULL;
  /* What cannot be removed now is removed as that of a process that has ended. */
  if (!lm_file_remove_tree (dir->path, &failure))
    lm_trace (LM_TRACE_CACHE, "cannot remove %s: %s", dir->path, failure->message);
  lm_fd_clear (&dir->fd);
  g_free (dir->path);
  g_free (dir);
}

const char *
lm_work_dir_get_path (const LmWorkDir *dir)
{
  return dir->path;
}

static void
remove_left (int parent_fd, const char *parent, const char *name)
{
  lm_autofd int fd = openat (parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  g_autofree char *path = g_build_filename (parent, name, NULL);
  gboolean same;
  g_autoptr (GError) failure = NULL;
  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0 && lm_fd_has_name (fd, parent_fd, name, &same, NULL) && same
      && !lm_file_remove_tree (path, &failure))
    lm_trace (LM_TRACE_CACHE, "cannot remove %s: %s", path, failure->message);
}

void
lm_work_dir_remove_left (LmCache *cache)
{
  g_autofree char *parent = get_parent (cache);
  lm_autofd int parent_fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_autoptr (GPtrArray) names = parent_fd >= 0 ? lm_file_list_dir (parent, NULL) : NULL;
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *written = lm_file_written_name (name);
      if (g_strcmp0 (written, NAME) == 0)
        remove_left (parent_fd, parent, name);
    }
}
