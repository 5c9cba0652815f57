/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/boot.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Small enough that a cancellation is noticed soon. */
#define CHUNK (16 * 1024 * 1024)

/* @data: the descriptor to write to */
static gboolean
write_block (gpointer data, const void *block, gsize size, GError **error)
{
  return lm_fd_write_all (*(int *) data, block, size, error);
}

static gboolean
copy_bytes (int from, int to, GCancellable *cancellable, GError **error)
{
  for (;;)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      ssize_t n = copy_file_range (from, NULL, to, NULL, CHUNK, 0);
      if (n == 0)
        return TRUE;
      /* Not supported across file systems or by old kernels; both file offsets are
       * where the copy got to. */
      if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
        return lm_fd_read_blocks (from, write_block, &to, cancellable, error);
      if (n < 0 && errno != EINTR)
        return lm_throw_errno (error, "copy_file_range");
    }
}

gboolean
lm_boot_copy (const char *blob, const char *path, GCancellable *cancellable, GError **error)
{
  lm_autofd int from = open (blob, O_RDONLY | O_CLOEXEC);
  if (from < 0)
    return lm_throw_errno (error, "cannot open %s", blob);
  lm_autofd int to = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (to < 0)
    return lm_throw_errno (error, "cannot create %s", path);
  /* Regardless of the umask: libvirt may leave the file to another user, and it is
   * read again before a start. */
  if (copy_bytes (from, to, cancellable, error) && (fchmod (to, 0444) == 0 || lm_throw_errno (error, "chmod")))
    return TRUE;
  g_prefix_error (error, "cannot copy %s to %s: ", blob, path);
  unlink (path);
  return FALSE;
}

int
lm_boot_open (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    (void) !lm_throw_errno (error, "cannot open %s", path);
  return fd;
}

gboolean
lm_boot_sync (int fd, const char *path, GError **error)
{
  return fsync (fd) == 0 || lm_throw_errno (error, "cannot sync %s", path);
}

gboolean
lm_boot_check (const char *path, const LmDigest *digest, gboolean *out_intact, GCancellable *cancellable, GError **error)
{
  LmDigest found;
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat st;
  *out_intact = FALSE;
  if (fd < 0 && (errno == ENOENT || errno == ELOOP))
    return TRUE;
  if (fd < 0 || fstat (fd, &st) < 0)
    return lm_throw_errno (error, "cannot open %s", path);
  if (!S_ISREG (st.st_mode))
    return TRUE;
  if (!lm_digest_of_fd (fd, &found, cancellable, error))
    return FALSE;
  *out_intact = lm_digest_equal (&found, digest);
  return TRUE;
}

gboolean
lm_boot_replace (const char *blob, const char *path, GCancellable *cancellable, GError **error)
{
  g_autofree char *temporary = lm_file_temporary_name (path);
  g_autofree char *dir = g_path_get_dirname (path);
  if (!lm_boot_copy (blob, temporary, cancellable, error))
    return FALSE;
  lm_autofd int copy = lm_boot_open (temporary, error);
  if (copy >= 0 && lm_boot_sync (copy, temporary, error)
      && (rename (temporary, path) == 0 || lm_throw_errno (error, "cannot replace %s", path)))
    return lm_file_sync_dir (dir, error);
  unlink (temporary);
  return FALSE;
}
