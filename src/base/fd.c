/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/fd.h"
#include "base/error.h"

#include <errno.h>
#include <unistd.h>

void
lm_fd_close (int fd)
{
  int saved = errno;
  (void) close (fd);
  errno = saved;
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
