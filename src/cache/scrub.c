/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/scrub.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/immutable.h"
#include "base/trace.h"
#include "cache/guard.h"
#include "cache/private.h"
#include "cache/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define TRIES 3

static LmScrubFlaws
get_flaws (LmCache *cache, LmBlobKind kind, const char *name, const struct stat *st)
{
  LmScrubFlaws flaws = 0;
  if (st->st_uid != 0 && st->st_uid != geteuid ())
    flaws |= LM_SCRUB_OWNER;
  if ((st->st_mode & 07777) != LM_GUARD_MODE)
    flaws |= LM_SCRUB_MODE;
  if (cache->with_flag && lm_guard_lacks_flag (lm_state_dir_get_fd (cache->dirs[kind]), name))
    flaws |= LM_SCRUB_FLAG;
  return flaws;
}

LmScrubFlaws
lm_scrub_find_flaws (LmCache *cache, const LmCacheEntry *entry)
{
  g_autofree char *name = lm_cache_get_name (entry->kind, &entry->digest);
  struct stat st;
  if (fstatat (lm_state_dir_get_fd (cache->dirs[entry->kind]), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return 0;
  return get_flaws (cache, entry->kind, name, &st);
}

/* Computes the digest of the open file; a file that the disk cannot deliver is damaged. */
static gboolean
read_file (int fd, const LmCacheEntry *entry, LmPace *pace, LmFinding *out_found, gboolean *out_unreadable,
           GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  LmDigest digest;
  gboolean settled;
  *out_unreadable = FALSE;
  if (lm_verify_hash (fd, entry->path, pace, &digest, &out_found->identity, &settled, cancellable, &failure))
    {
      out_found->settled = settled;
      out_found->good = lm_digest_equal (&digest, &entry->digest);
      return TRUE;
    }
  *out_unreadable = g_error_matches (failure, LM_CACHE_ERROR, LM_CACHE_ERROR_UNREADABLE);
  if (*out_unreadable)
    {
      *out_found = (LmFinding){ .identity = lm_identity_of_fd (fd), .settled = TRUE };
      return TRUE;
    }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Whether another process has put another file in the place of the one with the properties @st. */
static gboolean
is_replaced (LmCache *cache, const LmCacheEntry *entry, const char *name, const struct stat *st)
{
  struct stat now;
  return fstatat (lm_state_dir_get_fd (cache->dirs[entry->kind]), name, &now, AT_SYMLINK_NOFOLLOW) == 0
         && (now.st_ino != st->st_ino || now.st_dev != st->st_dev);
}

/* Notes what was found out. A damaged file that nobody touched has the identity that it had when
 * it was good, so what was noted then must go, but not what another process notes about a good one
 * that it has put there. */
static gboolean
note_result (LmCache *cache, const LmCacheEntry *entry, const char *name, int fd, const LmFinding *found, GError **error)
{
  struct stat st;
  if (!lm_fault_point ("scrub-before-note", error))
    return FALSE;
  if (fstat (fd, &st) < 0)
    return lm_throw_errno (error, "cannot stat %s", entry->path);
  lm_cache_note (cache, entry->kind, &entry->digest, found, found->good && found->settled && !lm_guard_is_exposed (&st));
  return found->good || is_replaced (cache, entry, name, &st) || lm_state_dir_remove_file (cache->verified, name, error);
}

/* Scrubs the open file @fd, which is @name. */
static gboolean
scrub_open_file (LmCache *cache, const LmCacheEntry *entry, const char *name, int fd, LmPace *pace, gboolean repair,
                 LmScrubResult *result, GCancellable *cancellable, GError **error)
{
  const int dir_fd = lm_state_dir_get_fd (cache->dirs[entry->kind]);
  struct stat st;
  LmFinding found;
  if (fstat (fd, &st) < 0)
    return lm_throw_errno (error, "cannot stat %s", entry->path);
  result->flaws = get_flaws (cache, entry->kind, name, &st);
  /* Before it is read, so that nobody can change it afterwards and restore its times. */
  if (repair && result->flaws != 0)
    lm_guard_repair (fd, dir_fd, name, cache->with_flag);
  if (fstat (fd, &st) < 0)
    return lm_throw_errno (error, "cannot stat %s", entry->path);
  result->left = get_flaws (cache, entry->kind, name, &st);
  const gboolean hidden = lm_guard_is_exposed (&st) && !lm_identity_is_settled (lm_identity_of (&st).ctime);
  if (!read_file (fd, entry, pace, &found, &result->unreadable, cancellable, error))
    return FALSE;
  found.settled = found.settled && !hidden;
  result->state = found.good ? LM_CACHE_PRESENT : LM_CACHE_DAMAGED;
  return note_result (cache, entry, name, fd, &found, error);
}

gboolean
lm_scrub_file (LmCache *cache, const LmCacheEntry *entry, LmPace *pace, gboolean repair, LmScrubResult *out_result,
               GCancellable *cancellable, GError **error)
{
  g_autofree char *name = lm_cache_get_name (entry->kind, &entry->digest);
  for (guint try = 0; try < TRIES; try++)
    {
      LmScrubResult result = { .state = LM_CACHE_MISSING };
      gboolean same = TRUE;
      lm_autofd int fd = lm_cache_open_file (cache, entry->kind, name);
      if (fd < 0 && errno != ENOENT)
        return lm_throw_errno (error, "cannot open %s", entry->path);
      if (fd >= 0 && (!scrub_open_file (cache, entry, name, fd, pace, repair, &result, cancellable, error)
                      || !lm_fd_has_name (fd, lm_state_dir_get_fd (cache->dirs[entry->kind]), name, &same, error)))
        return FALSE;
      *out_result = result;
      if (same)
        return TRUE;
      /* Another process has deleted or replaced it meanwhile. */
    }
  return lm_throw (error, G_IO_ERROR, G_IO_ERROR_BUSY, "%s is being replaced by other processes", entry->path);
}

/* Whether @name is that of a note, and there is no such file. */
static gboolean
is_stale (LmCache *cache, const char *name)
{
  struct stat st;
  for (LmBlobKind kind = 0; kind < LM_BLOB_N_KINDS; kind++)
    {
      LmDigest digest;
      if (!lm_digest_from_file_name (name, kind == LM_BLOB_LAYER ? ".qcow2" : NULL, &digest))
        continue;
      return fstatat (lm_state_dir_get_fd (cache->dirs[kind]), name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
    }
  return FALSE;
}

gboolean
lm_scrub_remove_notes (LmCache *cache, GError **error)
{
  g_autoptr (GPtrArray) names = lm_state_dir_list (cache->verified, error);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      if (!is_stale (cache, name))
        continue;
      if (!lm_state_dir_remove_file (cache->verified, name, error))
        return FALSE;
      lm_trace (LM_TRACE_CACHE, "the note about %s was removed, because there is no such file", name);
    }
  return names != NULL;
}
