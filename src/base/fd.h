/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Owned file descriptors, and functions that read or write all of a buffer.
 * Failures are G_IO_ERROR (see error.h). */
#include <gio/gio.h>

/** lm_fd_close: closes @fd and preserves errno. If close() is interrupted, the
 * descriptor is closed all the same (Linux). */
void lm_fd_close (int fd);

static inline void
lm_fd_clear (int *fd)
{
  if (*fd >= 0)
    lm_fd_close (*fd);
  *fd = -1;
}

/* "lm_autofd int fd = -1;" declares a descriptor that is closed at the end of the
 * scope; errno is preserved. */
#define lm_autofd __attribute__ ((cleanup (lm_fd_clear)))

/** lm_fd_steal: returns the descriptor in *fd and sets *fd to -1. */
static inline int
lm_fd_steal (int *fd)
{
  int taken = *fd;
  *fd = -1;
  return taken;
}

/** lm_fd_has_name: sets *out_has to whether @name in the directory @dir_fd is the
 * file that @fd is open on; a symbolic link is not followed. It is not an error if
 * there is no such name. Errors: G_IO_ERROR if it cannot be determined. */
gboolean lm_fd_has_name (int fd, int dir_fd, const char *name, gboolean *out_has, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_fd_write_all: writes all @size bytes at the current offset. Blocks. */
gboolean lm_fd_write_all (int fd, const void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_fd_read_full: reads @size bytes, or up to the end of the file if that comes
 * first; *out_read is the number of bytes read. Blocks. */
gboolean lm_fd_read_full (int fd, void *buffer, gsize size, gsize *out_read, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Receives the next @size bytes, > 0; FALSE, with @error set, ends the reading. */
typedef gboolean (*LmFdBlockFunc) (gpointer data, const void *block, gsize size, GError **error);

/** lm_fd_read_blocks: reads @fd from its offset to its end, and passes what it reads to @func in
 * blocks. Blocks; @cancellable ends it between two of them. Errors: also those of @func. */
gboolean lm_fd_read_blocks (int fd, LmFdBlockFunc func, gpointer data, GCancellable *cancellable,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_fd_get_size: sets *out_size to the size in bytes of the regular file or block device
 * @fd, and the offset to 0. */
gboolean lm_fd_get_size (int fd, guint64 *out_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_fd_read_bytes: reads the regular file @fd, whose offset is 0, up to the size
 * that it has now; more than @max_size bytes are refused
 * (G_IO_ERROR_MESSAGE_TOO_LARGE). Files are not mapped: then a disk error, or another
 * process that truncates the file, would end lamina by SIGBUS. Messages call it
 * @shown. Blocks. */
GBytes *lm_fd_read_bytes (int fd, const char *shown, gsize max_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_fd_check_room: returns FALSE and an error if fewer than @count descriptors can be
 * opened now. Some libraries (GLib in libvirt's client) abort the process instead of
 * failing when there is none. */
gboolean lm_fd_check_room (guint count, GError **error) G_GNUC_WARN_UNUSED_RESULT;
