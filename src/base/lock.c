/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/lock.h"
#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-lock-error-quark, lm_lock_error)

#define POLL_US (20 * 1000)
#define TICK_POLLS 5

struct _LmLock
{
  char *path;
  int fd;
};

/* If the caller owns the lock file and others can access it (an older version or
 * the user created it so), restricts its mode. On a file system without modes this
 * has no effect. */
static void
restrict_lock_mode (int fd)
{
  struct stat st;
  if (fstat (fd, &st) == 0 && (st.st_mode & 0077) != 0 && st.st_uid == geteuid ())
    (void) !fchmod (fd, 0600);
}

/* What to lock in a file: the whole of it, or one byte, which does not have to
 * exist. Locks on bytes belong to the open file description as well (F_OFD_SETLK). */
typedef struct
{
  int fd;
  const char *path;
  LmLockMode mode;
  gboolean one_byte;
  off_t at;
} LockRequest;

static gboolean
try_lock_once (const LockRequest *request)
{
  if (!request->one_byte)
    return flock (request->fd, (request->mode == LM_LOCK_SHARED ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0;
  struct flock lock = {
    .l_type = request->mode == LM_LOCK_SHARED ? F_RDLCK : F_WRLCK,
    .l_whence = SEEK_SET,
    .l_start = request->at,
    .l_len = 1,
  };
  if (fcntl (request->fd, F_OFD_SETLK, &lock) == 0)
    return TRUE;
  errno = errno == EAGAIN || errno == EACCES ? EWOULDBLOCK : errno;
  return FALSE;
}

/* Polls, because the kernel offers no lock call with a timeout. */
static gboolean
wait_lock (const LockRequest *request, gint timeout_ms, LmLockWaitFunc waiting, gpointer user_data,
           GCancellable *cancellable, GError **error)
{
  const char *path = request->path;
  gint64 end = g_get_monotonic_time () + (gint64) timeout_ms * 1000;
  for (guint polls = 0;; polls++)
    {
      if (try_lock_once (request))
        return TRUE;
      if (errno == EINTR)
        continue;
      if (errno != EWOULDBLOCK)
        return lm_throw_errno (error, "cannot lock %s", path);
      if (timeout_ms == 0)
        return lm_throw (error, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY, "%s is locked by another process", path);
      if (timeout_ms > 0 && g_get_monotonic_time () >= end)
        return lm_throw (error, LM_LOCK_ERROR, LM_LOCK_ERROR_TIMED_OUT,
                         "%s is still locked by another process after %d ms", path, timeout_ms);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (waiting != NULL && polls % TICK_POLLS == 0)
        waiting (user_data);
      g_usleep (POLL_US);
    }
}

/* @flags: besides those of every lock */
static LmLock *
open_lock (const char *path, int flags, GError **error)
{
  int fd = open (path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
  if (fd < 0)
    return lm_throw_errno_null (error, "cannot open lock %s", path);
  restrict_lock_mode (fd);
  LmLock *lock = g_new0 (LmLock, 1);
  lock->path = g_strdup (path);
  lock->fd = fd;
  return lock;
}

LmLock *
lm_lock_acquire (const char *path, LmLockMode mode, gint timeout_ms, LmLockWaitFunc waiting, gpointer user_data,
                 GCancellable *cancellable, GError **error)
{
  for (;;)
    {
      g_autoptr (LmLock) lock = open_lock (path, O_RDWR | O_CREAT, error);
      if (lock == NULL)
        return NULL;
      const LockRequest request = { .fd = lock->fd, .path = path, .mode = mode };
      if (!wait_lock (&request, timeout_ms, waiting, user_data, cancellable, error))
        return NULL;
      /* Do not go on if the wait was cancelled, even if the lock was acquired in the end. */
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
      gboolean current;
      if (!lm_fd_has_name (lock->fd, AT_FDCWD, path, &current, error))
        return NULL;
      if (current)
        return g_steal_pointer (&lock);
    }
}

LmLock *
lm_lock_table_open (const char *path, GError **error)
{
  g_autoptr (GError) failure = NULL;
  LmLock *table = open_lock (path, O_RDWR | O_CREAT, &failure);
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_READ_ONLY))
    return open_lock (path, O_RDONLY, error);
  if (table == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return table;
}

static off_t
get_offset (guint64 number)
{
  return (off_t) (number & (guint64) (G_MAXINT64 >> 1));
}

gboolean
lm_lock_table_lock (LmLock *table, guint64 number, LmLockMode mode, gint timeout_ms, GCancellable *cancellable,
                    GError **error)
{
  const LockRequest request = { .fd = table->fd, .path = table->path, .mode = mode, .one_byte = TRUE,
                                .at = get_offset (number) };
  return wait_lock (&request, timeout_ms, NULL, NULL, cancellable, error);
}

void
lm_lock_table_unlock (LmLock *table, guint64 number)
{
  struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = get_offset (number), .l_len = 1 };
  (void) fcntl (table->fd, F_OFD_SETLK, &lock);
}

gboolean
lm_lock_table_is_locked (LmLock *table, guint64 number)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = get_offset (number), .l_len = 1 };
  return fcntl (table->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

gboolean
lm_lock_table_is_in_use (LmLock *table)
{
  /* A length of 0 stands for all bytes. */
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  return fcntl (table->fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

void
lm_lock_remove_file (LmLock *lock)
{
  (void) unlink (lock->path);
}

void
lm_lock_release (LmLock *lock)
{
  if (lock == NULL)
    return;
  lm_fd_close (lock->fd);
  g_free (lock->path);
  g_free (lock);
}
