/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/state-dir.h"
#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean
lm_state_dir_make_below (int dir_fd, const char *name, guint mode, GError **error)
{
  if (mkdirat (dir_fd, name, mode) == 0)
    {
      if (fchmodat (dir_fd, name, mode, 0) == 0)
        return TRUE;
    }
  else if (errno == EEXIST)
    return TRUE;
  return lm_throw_errno (error, "cannot make directory %s", name);
}

gboolean
lm_state_dir_check (int dir_fd, const char *name, GError **error)
{
  struct stat st;
  if (fstatat (dir_fd, name, &st, 0) < 0)
    return lm_throw_errno (error, "cannot stat %s", name);
  if (st.st_uid != geteuid () && st.st_uid != 0)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                     "%s belongs to user %u, whose files are not to be trusted; use another --state-dir", name,
                     (guint) st.st_uid);
  if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                     "everybody can write to %s, so what is in it is not to be trusted; \"chmod o-w\" it, empty", name);
  return TRUE;
}

gboolean
lm_state_dir_make (const char *state_dir, GError **error)
{
  g_autofree char *dir = g_canonicalize_filename (state_dir, NULL);
  if (!g_file_test (dir, G_FILE_TEST_IS_DIR))
    {
      g_autofree char *parent = g_path_get_dirname (dir);
      gboolean made = geteuid () == 0 ? lm_file_make_dir (parent, 0755, error)
                                      : g_mkdir_with_parents (parent, 0777) == 0
                                          || lm_throw_errno (error, "cannot make directory %s", parent);
      if (!made || !lm_state_dir_make_below (AT_FDCWD, dir, 0755, error))
        return FALSE;
    }
  return lm_state_dir_check (AT_FDCWD, dir, error);
}
