/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/verify.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/hasher.h"
#include "cache/direct.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIES 3
#define STEP_US (20 * 1000)

static gboolean
hash_once (int fd, LmDigest *out_digest, GCancellable *cancellable, GError **error)
{
  if (lseek (fd, 0, SEEK_SET) < 0)
    return lm_throw_errno (error, "lseek");
  return lm_digest_of_fd (fd, out_digest, cancellable, error) && lm_fault_point ("verify-after-read", error);
}

/* Waits for @time microseconds, in short steps to notice a cancellation. */
static gboolean
wait_for (gint64 time, GCancellable *cancellable, GError **error)
{
  const gint64 end = g_get_monotonic_time () + time;
  for (gint64 left = time; left > 0; left = end - g_get_monotonic_time ())
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      g_usleep ((gulong) MIN (left, STEP_US));
    }
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

/* Likewise, at @pace. */
static gboolean
hash_at_pace (int fd, LmPace *pace, LmDigest *out_digest, GCancellable *cancellable, GError **error)
{
  const gsize step = lm_pace_get_step (pace);
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  void *buffer = lm_direct_new_buffer (step);
  gboolean ok = TRUE;
  gsize n = step;
  LmDirect direct;
  lm_direct_begin (&direct, fd);
  lm_pace_begin (pace);
  while (ok && n == step)
    {
      ok = lm_direct_read (&direct, buffer, step, &n, error);
      if (ok)
        lm_hasher_update (hasher, buffer, n);
      ok = ok && wait_for (lm_pace_take (pace, n, g_get_monotonic_time ()), cancellable, error);
    }
  lm_direct_end (&direct);
  free (buffer);
  lm_hasher_peek (hasher, out_digest);
  return ok && lm_fault_point ("verify-after-read", error);
}

gboolean
lm_verify_hash (int fd, const char *shown, LmPace *pace, LmDigest *out_digest, LmIdentity *out_identity,
                gboolean *out_settled, GCancellable *cancellable, GError **error)
{
  struct stat before, after;
  if (fstat (fd, &before) < 0)
    return lm_throw_errno (error, "cannot stat %s", shown);
  for (guint try = 0; try < TRIES; try++, before = after)
    {
      *out_identity = lm_identity_of (&before);
      const gboolean settled = lm_identity_is_settled (out_identity->mtime);
      const gboolean read = pace != NULL ? hash_at_pace (fd, pace, out_digest, cancellable, error)
                                         : hash_once (fd, out_digest, cancellable, error);
      if (!read)
        {
          g_prefix_error (error, "cannot verify %s: ", shown);
          return FALSE;
        }
      if (fstat (fd, &after) < 0)
        return lm_throw_errno (error, "cannot stat %s", shown);
      const LmIdentity now = lm_identity_of (&after);
      if (!lm_identity_has_same_content (out_identity, &now))
        continue;
      if (out_settled != NULL)
        *out_settled = settled && lm_identity_is_untouched (out_identity, &now);
      return TRUE;
    }
  return lm_throw (error, G_IO_ERROR, G_IO_ERROR_BUSY, "%s is being changed by another process", shown);
}

void
lm_verify_write_note (int dir_fd, const char *name, const LmIdentity *identity)
{
  lm_autofd int out = openat (dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0644);
  g_autofree char *text = lm_identity_format_all (identity);
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  /* Whatever else was in the file is cut off after this: a reader never sees it empty. */
  if (out >= 0 && pwrite (out, line, strlen (line), 0) == (ssize_t) strlen (line))
    (void) !ftruncate (out, (off_t) strlen (line));
}
