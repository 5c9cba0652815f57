/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/quarantine.h"
#include "base/error.h"
#include "base/trace.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
quarantine_entry_free (LmQuarantineEntry *entry)
{
  g_free (entry->path);
  g_free (entry);
}

/* Returns a name that no file in @dir has; the caller holds the lock of the cache. */
static char *
choose_name (const LmStateDir *dir, const LmBlob *blob)
{
  g_autofree char *relative = lm_cache_relative_path (blob->kind, &blob->digest);
  g_autofree char *name = g_path_get_basename (relative);
  struct stat st;
  for (;;)
    {
      g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
      g_autofree char *time = g_date_time_format (now, "%Y%m%dT%H%M%S%f");
      g_autofree char *dated = g_strdup_printf ("%s.%s", name, time);
      if (fstatat (lm_state_dir_get_fd (dir), dated, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return g_steal_pointer (&dated);
    }
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
  return cached != NULL && (lm_digest_from_file_name (cached, ".qcow2", out_digest) || lm_digest_from_file_name (cached, NULL, out_digest));
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
  if (!lm_state_dir_remove_file (dir, name, error))
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

static gboolean
delete_old (const LmStateDir *dir, GPtrArray *deleted, GError **error)
{
  g_autoptr (GPtrArray) entries = list_dir (dir, error);
  guint64 bytes = 0;
  for (guint i = 0; entries != NULL && i < entries->len; i++)
    {
      const LmQuarantineEntry *entry = g_ptr_array_index (entries, i);
      bytes += entry->size;
      if (i == 0 || (i < LM_QUARANTINE_FILES && bytes <= LM_QUARANTINE_BYTES))
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
  g_autofree char *name = choose_name (dir, blob);
  gboolean taken;
  if (!lm_cache_take_out (cache, lock, blob, dir, name, &taken, error))
    return FALSE;
  g_clear_pointer (&lock, lm_lock_release);
  if (taken)
    {
      (void) !fchmodat (lm_state_dir_get_fd (dir), name, 0400, 0);
      lm_trace (LM_TRACE_CACHE, "%s was moved to the quarantine", name);
    }
  if (taken && !delete_old (dir, deleted, error))
    return FALSE;
  if (out_path != NULL)
    *out_path = taken ? g_build_filename (lm_state_dir_get_path (dir), name, NULL) : NULL;
  return TRUE;
}
