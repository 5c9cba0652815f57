/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/guard.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/immutable.h"
#include "base/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TRIES 10

gboolean
lm_guard_is_exposed (const struct stat *st)
{
  return (st->st_uid != geteuid () && st->st_uid != 0) || (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

gboolean
lm_guard_lacks_flag (int dir_fd, const char *name)
{
  return geteuid () == 0 && lm_immutable_get (dir_fd, name) == LM_IMMUTABLE_NO;
}

void
lm_guard_restore (int fd, gboolean with_flag)
{
  struct stat st;
  if (geteuid () != 0 || fstat (fd, &st) < 0)
    return;
  if (lm_guard_is_exposed (&st) && fchown (fd, 0, 0) == 0)
    (void) !fchmod (fd, LM_GUARD_MODE);
  if (with_flag && !lm_immutable_set (fd, TRUE))
    lm_trace (LM_TRACE_CACHE, "the immutable flag cannot be set: %s", lm_error_text_of_errno (errno));
}

void
lm_guard_repair (int fd, int dir_fd, const char *name, gboolean with_flag)
{
  const gboolean had_flag = lm_immutable_get (dir_fd, name) == LM_IMMUTABLE_YES;
  if (had_flag && !lm_immutable_set (fd, FALSE))
    lm_trace (LM_TRACE_CACHE, "the immutable flag cannot be lifted: %s", lm_error_text_of_errno (errno));
  /* A change of the owner may change the mode. */
  if ((geteuid () == 0 && fchown (fd, 0, 0) < 0) || fchmod (fd, LM_GUARD_MODE) < 0)
    lm_trace (LM_TRACE_CACHE, "owner and mode cannot be repaired: %s", lm_error_text_of_errno (errno));
  if (geteuid () == 0 && (had_flag || with_flag) && !lm_immutable_set (fd, TRUE))
    lm_trace (LM_TRACE_CACHE, "the immutable flag cannot be set: %s", lm_error_text_of_errno (errno));
}

/* Succeeds if the file does not have the flag or is missing. */
static gboolean
lift_flag (const LmStateDir *dir, const char *name, GError **error)
{
  const int dir_fd = lm_state_dir_get_fd (dir);
  if (lm_immutable_get (dir_fd, name) != LM_IMMUTABLE_YES)
    return TRUE;
  lm_autofd int fd = openat (dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  if (fd >= 0 && lm_immutable_set (fd, FALSE))
    return lm_fault_point ("flag-after-lift", error);
  return errno == ENOENT || lm_throw_errno (error, "cannot lift the immutable flag of %s/%s",
                                             lm_state_dir_get_path (dir), name);
}

/* Whether the flag may have been set again by a process that had the file open to verify it. */
static gboolean
is_flagged_again (int code, guint try)
{
  return code == EPERM && try + 1 < TRIES;
}

gboolean
lm_guard_remove (const LmStateDir *dir, const char *name, GError **error)
{
  for (guint try = 0;; try++)
    {
      if (!lift_flag (dir, name, error))
        return FALSE;
      if (unlinkat (lm_state_dir_get_fd (dir), name, 0) == 0 || errno == ENOENT)
        return TRUE;
      if (!is_flagged_again (errno, try))
        return lm_throw_errno (error, "cannot remove %s/%s", lm_state_dir_get_path (dir), name);
    }
}

gboolean
lm_guard_move (const LmStateDir *from, const char *name, const LmStateDir *to, const char *to_name, GError **error)
{
  for (guint try = 0;; try++)
    {
      if (!lift_flag (from, name, error))
        return FALSE;
      if (renameat (lm_state_dir_get_fd (from), name, lm_state_dir_get_fd (to), to_name) == 0)
        return TRUE;
      if (!is_flagged_again (errno, try))
        return lm_throw_errno (error, "cannot move %s/%s to %s", lm_state_dir_get_path (from), name, lm_state_dir_get_path (to));
    }
}
