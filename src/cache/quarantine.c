/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/quarantine.h"
#include "base/error.h"
#include "base/size.h"
#include "base/trace.h"
#include "cache/guard.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TIME_FORMAT "%Y%m%dT%H%M%S%f"
#define SECONDS_LENGTH 15 /* of what precedes %f, which has six digits */

static void
quarantine_entry_free (LmQuarantineEntry *entry)
{
  g_free (entry->path);
  g_free (entry);
}

/* Returns the time after @last, which is one as in a name; NULL if it is not. */
static GDateTime *
follow_time (const char *last)
{
  if (strlen (last) != SECONDS_LENGTH + 6)
    return NULL;
  g_autofree char *iso = g_strdup_printf ("%.*s.%sZ", SECONDS_LENGTH, last, last + SECONDS_LENGTH);
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (iso, NULL);
  /* The fraction of a second was rounded, but to less than this. */
  return time != NULL ? g_date_time_add (time, 2) : NULL;
}

/* The time is what follows the last dot. */
static int
compare_times (gconstpointer a, gconstpointer b)
{
  const LmQuarantineEntry *one = *(LmQuarantineEntry *const *) a, *two = *(LmQuarantineEntry *const *) b;
  return strcmp (strrchr (two->path, '.'), strrchr (one->path, '.'));
}

/* Whether @name is that of a file in the quarantine. */
static gboolean
parse_name (const char *name, LmDigest *out_digest)
{
  const char *dot = strrchr (name, '.');
  g_autofree char *cached = dot != NULL ? g_strndup (name, (gsize) (dot - name)) : NULL;
  g_autoptr (GDateTime) next = dot != NULL ? follow_time (dot + 1) : NULL;
  return next != NULL && (lm_digest_from_file_name (cached, ".qcow2", out_digest) || lm_digest_from_file_name (cached, NULL, out_digest));
}

static GPtrArray *
list_dir (const LmStateDir *dir, GError **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) quarantine_entry_free);
  g_autoptr (GPtrArray) names = lm_state_dir_list (dir, error);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      LmDigest digest;
      struct stat st;
      if (!parse_name (name, &digest) || fstatat (lm_state_dir_get_fd (dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0
          || !S_ISREG (st.st_mode))
        continue;
      LmQuarantineEntry *entry = g_new0 (LmQuarantineEntry, 1);
      entry->path = g_build_filename (lm_state_dir_get_path (dir), name, NULL);
      entry->digest = digest;
      entry->size = (guint64) st.st_size;
      entry->allocated = (guint64) st.st_blocks * 512;
      g_ptr_array_add (entries, entry);
    }
  g_ptr_array_sort (entries, compare_times);
  return names != NULL ? g_steal_pointer (&entries) : NULL;
}

/* Returns a name for a file that is later than that of all @entries, also if the clock was put
 * back: the order of the names is that in which the files came. The caller holds the lock of
 * the cache. */
static char *
choose_name (const GPtrArray *entries, const LmBlob *blob)
{
  g_autofree char *relative = lm_cache_relative_path (blob->kind, &blob->digest);
  g_autofree char *name = g_path_get_basename (relative);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  const LmQuarantineEntry *last = entries->len > 0 ? g_ptr_array_index (entries, 0) : NULL;
  g_autoptr (GDateTime) next = last != NULL ? follow_time (strrchr (last->path, '.') + 1) : NULL;
  g_autofree char *time
    = g_date_time_format (next != NULL && g_date_time_compare (next, now) > 0 ? next : now, TIME_FORMAT);
  return g_strdup_printf ("%s.%s", name, time);
}

/* Opens the quarantine, if there is one. */
static LmStateDir *
open_existing (LmCache *cache, GError **error)
{
  g_autoptr (LmStateDir) state = lm_state_dir_open_readonly (lm_cache_get_dir (cache), error);
  return state != NULL ? lm_state_dir_open_below (state, "quarantine", 0700, error) : NULL;
}

GPtrArray *
lm_quarantine_list (LmCache *cache, GError **error)
{
  g_autoptr (LmStateDir) dir = open_existing (cache, error);
  return dir != NULL ? list_dir (dir, error) : NULL;
}

static gboolean
remove_entry (const LmStateDir *dir, const LmQuarantineEntry *entry, GError **error)
{
  const char *name = strrchr (entry->path, '/') + 1;
  if (!lm_guard_remove (dir, name, error))
    return FALSE;
  lm_trace (LM_TRACE_CACHE, "%s was deleted from the quarantine", name);
  return TRUE;
}

gboolean
lm_quarantine_remove (LmCache *cache, const LmQuarantineEntry *entry, GError **error)
{
  g_autoptr (LmStateDir) dir = open_existing (cache, error);
  return dir != NULL && remove_entry (dir, entry, error);
}

/* Whatever their names say, the one at @last stays. */
static gboolean
delete_old (const LmStateDir *dir, const char *last, GPtrArray *deleted, GError **error)
{
  g_autoptr (GPtrArray) entries = list_dir (dir, error);
  guint64 bytes = 0;
  for (guint i = 0; entries != NULL && i < entries->len; i++)
    {
      const LmQuarantineEntry *entry = g_ptr_array_index (entries, i);
      bytes = lm_size_add (bytes, entry->size);
      if (i == 0 || g_str_has_suffix (entry->path, last) || (i < LM_QUARANTINE_FILES && bytes <= LM_QUARANTINE_BYTES))
        continue;
      if (!remove_entry (dir, entry, error))
        return FALSE;
      if (deleted != NULL)
        g_ptr_array_add (deleted, g_strdup (entry->path));
    }
  return entries != NULL;
}

gboolean
lm_quarantine_move (LmCache *cache, const LmBlob *blob, char **out_path, GPtrArray *deleted, GCancellable *cancellable,
                    GError **error)
{
  g_autoptr (LmStateDir) state = lm_state_dir_open (lm_cache_get_dir (cache), error);
  g_autoptr (LmStateDir) dir = state != NULL ? lm_state_dir_open_below (state, "quarantine", 0700, error) : NULL;
  g_autoptr (LmLock) lock
    = dir != NULL ? lm_cache_lock (cache, LM_LOCK_EXCLUSIVE, LM_CACHE_LOCK_MS, cancellable, error) : NULL;
  if (lock == NULL)
    return FALSE;
  g_autoptr (GPtrArray) entries = list_dir (dir, error);
  if (entries == NULL)
    return FALSE;
  g_autofree char *name = choose_name (entries, blob);
  gboolean taken;
  if (!lm_cache_take_out (cache, lock, blob, dir, name, &taken, error))
    return FALSE;
  g_clear_pointer (&lock, lm_lock_release);
  if (taken)
    {
      (void) !fchmodat (lm_state_dir_get_fd (dir), name, 0400, 0);
      lm_trace (LM_TRACE_CACHE, "%s was moved to the quarantine", name);
    }
  if (taken && !delete_old (dir, name, deleted, error))
    return FALSE;
  if (out_path != NULL)
    *out_path = taken ? g_build_filename (lm_state_dir_get_path (dir), name, NULL) : NULL;
  return TRUE;
}
