/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* An owned file descriptor, and whole reads and writes on one.
 * Failures are G_IO_ERROR (see error.h). */
#include <glib.h>

/** lm_fd_close: closes @fd, keeping errno; EINTR counts as closed (Linux). */
void lm_fd_close (int fd);

static inline void
lm_fd_clear (int *fd)
{
  if (*fd >= 0)
    lm_fd_close (*fd);
  *fd = -1;
}

/* lm_autofd int fd = -1; closes at the end of the scope, keeping errno. */
#define lm_autofd __attribute__ ((cleanup (lm_fd_clear)))

/** lm_fd_steal: takes the descriptor out of *fd, leaving -1. */
static inline int
lm_fd_steal (int *fd)
{
  int taken = *fd;
  *fd = -1;
  return taken;
}

/** lm_fd_write_all: writes @size bytes at the current offset; blocks. */
gboolean lm_fd_write_all (int fd, const void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_fd_read_full: reads up to @size bytes; *out_read is less only at the
 * end of the file. Blocks. */
gboolean lm_fd_read_full (int fd, void *buffer, gsize size, gsize *out_read, GError **error) G_GNUC_WARN_UNUSED_RESULT;
