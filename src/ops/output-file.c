/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/output-file.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-output-file-error-quark, lm_output_file_error)

struct _LmOutputFile
{
  char *shown;
  int fd;
  int dir_fd;      /* -1 for standard output, without the following */
  char *name;      /* in the directory */
  char *temporary; /* NULL if it has its final name */
  char *path;      /* of the temporary name */
};

void
lm_output_file_free (LmOutputFile *output)
{
  if (output == NULL)
    return;
  if (output->temporary != NULL)
    (void) unlinkat (output->dir_fd, output->temporary, 0);
  if (output->dir_fd >= 0)
    lm_fd_clear (&output->fd);
  lm_fd_clear (&output->dir_fd);
  g_free (output->shown);
  g_free (output->name);
  g_free (output->temporary);
  g_free (output->path);
  g_free (output);
}

const char *
lm_output_file_get_shown (const LmOutputFile *output)
{
  return output->shown;
}

int
lm_output_file_get_fd (const LmOutputFile *output)
{
  return output->fd;
}

const char *
lm_output_file_get_path (const LmOutputFile *output)
{
  return output->path;
}

static gboolean
throw_exists (const char *file, GError **error)
{
  return lm_throw (error, LM_OUTPUT_FILE_ERROR, LM_OUTPUT_FILE_ERROR_EXISTS, "%s exists; use --force to replace it", file);
}

gboolean
lm_output_file_check (const char *file, gboolean replace, GError **error)
{
  struct stat st;
  if (strcmp (file, "-") == 0)
    return TRUE;
  g_autofree char *dir = g_path_get_dirname (file);
  if (faccessat (AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) < 0)
    return lm_throw_errno (error, "cannot create a file in %s", dir);
  if (lstat (file, &st) < 0)
    return errno == ENOENT || lm_throw_errno (error, "cannot stat %s", file);
  if (!S_ISREG (st.st_mode))
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "%s is not a regular file; - is standard output", file);
  return replace || throw_exists (file, error);
}

/* What killed runs left of the same file. */
static void
remove_leftovers (const LmOutputFile *output)
{
  g_autoptr (GPtrArray) names = lm_file_list_fd (fcntl (output->dir_fd, F_DUPFD_CLOEXEC, 0), output->shown, NULL);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      g_autofree char *written = lm_file_written_name (g_ptr_array_index (names, i));
      if (g_strcmp0 (written, output->name) == 0)
        lm_file_remove_leftover (output->dir_fd, g_ptr_array_index (names, i));
    }
}

LmOutputFile *
lm_output_file_open (const char *file, GError **error)
{
  g_autoptr (LmOutputFile) output = g_new0 (LmOutputFile, 1);
  output->fd = output->dir_fd = -1;
  if (strcmp (file, "-") == 0)
    {
      output->shown = g_strdup ("standard output");
      output->fd = STDOUT_FILENO;
      return g_steal_pointer (&output);
    }
  g_autofree char *dir = g_path_get_dirname (file);
  output->shown = g_strdup (file);
  output->name = g_path_get_basename (file);
  output->dir_fd = open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (output->dir_fd < 0)
    return lm_throw_errno_null (error, "cannot open %s", dir);
  remove_leftovers (output);
  output->fd = lm_file_make_temporary (output->dir_fd, output->name, output->shown, &output->temporary, error);
  if (output->fd < 0)
    return NULL;
  /* Absolute: QEMU would take what is before a colon for a protocol. */
  g_autofree char *path = g_build_filename (dir, output->temporary, NULL);
  output->path = g_canonicalize_filename (path, NULL);
  return g_steal_pointer (&output);
}

gboolean
lm_output_file_get_free (const LmOutputFile *output, guint64 *out_free, GError **error)
{
  struct statvfs st;
  if (fstatvfs (output->fd, &st) < 0)
    return lm_throw_errno (error, "cannot determine the free space for %s", output->shown);
  *out_free = (guint64) st.f_bavail * st.f_frsize;
  return TRUE;
}

gboolean
lm_output_file_publish (LmOutputFile *output, gboolean replace, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (output->dir_fd < 0)
    return TRUE;
  mode_t mask = umask (0); /* there is no other way to read it */
  (void) umask (mask);
  if (fchmod (output->fd, 0666 & ~mask) < 0 || fsync (output->fd) < 0)
    return lm_throw_errno (error, "cannot write %s", output->shown);
  if (!lm_fault_point ("output-before-rename", error))
    return FALSE;
  if (replace && renameat (output->dir_fd, output->temporary, output->dir_fd, output->name) == 0)
    {
      g_clear_pointer (&output->temporary, g_free);
      return fsync (output->dir_fd) == 0 || lm_throw_errno (error, "cannot sync the directory of %s", output->shown);
    }
  if (replace)
    return lm_throw_errno (error, "cannot write %s", output->shown);
  if (lm_file_publish (output->dir_fd, output->temporary, output->name, &failure))
    {
      g_clear_pointer (&output->temporary, g_free);
      return TRUE;
    }
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_EXISTS))
    return throw_exists (output->shown, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
