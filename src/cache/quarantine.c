/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/quarantine.h"
#include "base/error.h"
#include "base/trace.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  const char *name;
  const char *time; /* in the name */
  guint64 size;
} Kept;

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

static int
compare_times (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Kept *) b)->time, ((const Kept *) a)->time);
}

/* Returns the files (Kept), newest first. The names belong to @names. */
static GArray *
list_kept (const LmStateDir *dir, const GPtrArray *names)
{
  GArray *kept = g_array_new (FALSE, FALSE, sizeof (Kept));
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i), *dot = strrchr (name, '.');
      struct stat st;
      if (dot == NULL || fstatat (lm_state_dir_get_fd (dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG (st.st_mode))
        continue;
      const Kept file = { name, dot + 1, (guint64) st.st_size };
      g_array_append_val (kept, file);
    }
  g_array_sort (kept, compare_times);
  return kept;
}

static gboolean
delete_old (const LmStateDir *dir, GPtrArray *deleted, GError **error)
{
  g_autoptr (GPtrArray) names = lm_state_dir_list (dir, error);
  g_autoptr (GArray) kept = names != NULL ? list_kept (dir, names) : NULL;
  guint64 bytes = 0;
  for (guint i = 0; kept != NULL && i < kept->len; i++)
    {
      const Kept *file = &g_array_index (kept, Kept, i);
      bytes += file->size;
      if (i == 0 || (i < LM_QUARANTINE_FILES && bytes <= LM_QUARANTINE_BYTES))
        continue;
      if (!lm_state_dir_remove_file (dir, file->name, error))
        return FALSE;
      lm_trace (LM_TRACE_CACHE, "%s was deleted from the quarantine", file->name);
      if (deleted != NULL)
        g_ptr_array_add (deleted, g_build_filename (lm_state_dir_get_path (dir), file->name, NULL));
    }
  return kept != NULL;
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
