/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/direct.h"
#include "base/error.h"
#include "cache/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Of buffers and offsets; enough for every disk. */
#define ALIGNMENT 4096

static gboolean
set_direct (int fd, gboolean on)
{
  const int flags = fcntl (fd, F_GETFL);
  return flags >= 0 && fcntl (fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

void
lm_direct_begin (LmDirect *direct, int fd)
{
  *direct = (LmDirect){ fd, 0, set_direct (fd, TRUE) };
  if (!direct->direct)
    (void) !posix_fadvise (fd, 0, 0, POSIX_FADV_NOREUSE);
}

void *
lm_direct_new_buffer (gsize size)
{
  void *buffer = aligned_alloc (ALIGNMENT, size);
  if (buffer == NULL)
    g_error ("cannot allocate %" G_GSIZE_FORMAT " bytes", size);
  return buffer;
}

gboolean
lm_direct_read (LmDirect *direct, void *buffer, gsize size, gsize *out_read, GError **error)
{
  gsize n = 0;
  while (n < size)
    {
      /* The rest after a short read would not be aligned. */
      if (direct->direct && n % ALIGNMENT != 0)
        lm_direct_end (direct);
      const gssize got = pread (direct->fd, (char *) buffer + n, size - n, (off_t) (direct->offset + n));
      if (got == 0)
        break;
      if (got > 0)
        n += (gsize) got;
      else if (errno == EINVAL && direct->direct) /* some file systems say so only now */
        lm_direct_end (direct);
      else if (errno == EIO || errno == EBADMSG) /* the latter from checksums of the file system */
        return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_UNREADABLE, "the disk cannot be read at byte %" G_GUINT64_FORMAT,
                         direct->offset + n);
      else if (errno != EINTR)
        return lm_throw_errno (error, "read");
    }
  direct->offset += n;
  *out_read = n;
  return TRUE;
}

void
lm_direct_end (LmDirect *direct)
{
  if (direct->direct)
    (void) !set_direct (direct->fd, FALSE);
  direct->direct = FALSE;
}
