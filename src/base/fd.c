/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/fd.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_SIZE (1024 * 1024)

#define LARGE_PAGE (2 * 1024 * 1024)

void
lm_fd_close (int fd)
{
  int saved = errno;
  (void) close (fd);
  errno = saved;
}

gboolean
lm_fd_has_name (int fd, int dir_fd, const char *name, gboolean *out_has, GError **error)
{
  struct stat by_fd, by_name;
  if (fstat (fd, &by_fd) < 0)
    return lm_throw_errno (error, "cannot stat %s", name);
  gboolean exists = fstatat (dir_fd, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0;
  if (!exists && errno != ENOENT)
    return lm_throw_errno (error, "cannot stat %s", name);
  *out_has = exists && by_fd.st_ino == by_name.st_ino && by_fd.st_dev == by_name.st_dev;
  return TRUE;
}

gboolean
lm_fd_write_all (int fd, const void *data, gsize size, GError **error)
{
  const guint8 *p = data;
  while (size > 0)
    {
      ssize_t n = write (fd, p, size);
      if (n < 0)
        {
          if (errno == EINTR)
            continue;
          return lm_throw_errno (error, "write");
        }
      p += n;
      size -= (gsize) n;
    }
  return TRUE;
}

gboolean
lm_fd_read_full (int fd, void *buffer, gsize size, gsize *out_read, GError **error)
{
  guint8 *p = buffer;
  gsize done = 0;
  while (done < size)
    {
      ssize_t n = read (fd, p + done, size - done);
      if (n < 0)
        {
          if (errno == EINTR)
            continue;
          return lm_throw_errno (error, "read");
        }
      if (n == 0)
        break;
      done += (gsize) n;
    }
  *out_read = done;
  return TRUE;
}

gboolean
lm_fd_read_blocks (int fd, LmFdBlockFunc func, gpointer data, GCancellable *cancellable, GError **error)
{
  g_autofree char *block = g_malloc (BLOCK_SIZE);
  for (gsize n = BLOCK_SIZE; n == BLOCK_SIZE;)
    if (g_cancellable_set_error_if_cancelled (cancellable, error) || !lm_fd_read_full (fd, block, BLOCK_SIZE, &n, error)
        || (n > 0 && !func (data, block, n, error)))
      return FALSE;
  return TRUE;
}

gboolean
lm_fd_get_size (int fd, guint64 *out_size, GError **error)
{
  /* For a device, stat() says 0. */
  const off_t size = lseek (fd, 0, SEEK_END);
  if (size < 0 || lseek (fd, 0, SEEK_SET) < 0)
    return lm_throw_errno (error, "seek");
  *out_size = (guint64) size;
  return TRUE;
}

gboolean
lm_fd_check_room (guint count, GError **error)
{
  g_autofree int *fds = g_new (int, count);
  guint opened = 0;
  while (opened < count && (fds[opened] = eventfd (0, EFD_CLOEXEC)) >= 0)
    opened++;
  gboolean enough = opened == count || lm_throw_errno (error, "cannot open %u more files", count);
  while (opened > 0)
    lm_fd_close (fds[--opened]);
  return enough;
}

/* Allocates room for @size bytes, and uses huge pages for a large file, which
 * halves the time to read it. */
static void *
allocate_contents (gsize size)
{
  if (size < LARGE_PAGE)
    return g_malloc (size + 1);
  gsize whole = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
  void *data = aligned_alloc (LARGE_PAGE, whole);
  if (data == NULL)
    return g_malloc (size);
  (void) madvise (data, whole, MADV_HUGEPAGE);
  return data;
}

GBytes *
lm_fd_read_bytes (int fd, const char *shown, gsize max_size, GError **error)
{
  struct stat st;
  if (fstat (fd, &st) < 0)
    return lm_throw_errno_null (error, "cannot stat %s", shown);
  if ((guint64) st.st_size > max_size)
    return lm_throw_null (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                          "%s is larger than the limit of %" G_GSIZE_FORMAT " bytes", shown, max_size);
  gsize size = (gsize) st.st_size;
  g_autofree char *data = allocate_contents (size);
  if (!lm_fd_read_full (fd, data, size, &size, error))
    {
      g_prefix_error (error, "cannot read %s: ", shown);
      return NULL;
    }
  return g_bytes_new_take (g_steal_pointer (&data), size);
}
