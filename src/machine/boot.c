/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/boot.h"
#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Small enough that a cancellation is noticed soon. */
#define CHUNK (16 * 1024 * 1024)
#define READ_SIZE (256 * 1024)

static gboolean
copy_by_reading (int from, int to, GCancellable *cancellable, GError **error)
{
  g_autofree char *buffer = g_malloc (READ_SIZE);
  gsize n = READ_SIZE;
  while (n == READ_SIZE)
    if (g_cancellable_set_error_if_cancelled (cancellable, error) || !lm_fd_read_full (from, buffer, READ_SIZE, &n, error)
        || !lm_fd_write_all (to, buffer, n, error))
      return FALSE;
  return TRUE;
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
        return copy_by_reading (from, to, cancellable, error);
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
  if (copy_bytes (from, to, cancellable, error))
    return TRUE;
  g_prefix_error (error, "cannot copy %s to %s: ", blob, path);
  unlink (path);
  return FALSE;
}

gboolean
lm_boot_sync (const char *path, GError **error)
{
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fsync (fd) < 0)
    return lm_throw_errno (error, "cannot sync %s", path);
  return TRUE;
}
