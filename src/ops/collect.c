/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/collect.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/size.h"
#include "base/trace.h"
#include "cache/database.h"
#include "cache/scrub.h"
#include "cache/work-dir.h"
#include "machine/machine.h"
#include "ops/name-lock.h"
#include "source/source.h"

#include <string.h>
#include <sys/stat.h>

G_DEFINE_QUARK (lm-collect-error-quark, lm_collect_error)

/* Domains can change without lamina, so what they use is determined again after this. */
#define MAX_AGE (2 * G_USEC_PER_SEC)
/* How often in succession a plan may be outdated before anything was removed. */
#define MAX_OUTDATED 20

/* A collection at work. */
typedef struct
{
  const LmHost *host;
  LmVirt *virt;
  LmCache *cache;
  const LmCollectLimits *limits;
  LmCollectFunc removed;
  gpointer data;
  GCancellable *cancellable;
  LmDatabase *database;
  GPtrArray *warnings; /* of the database */
  LmCollectPlan *plan;
  char *needs;       /* describe_needs() before the plan was made */
  GHashTable *known; /* LmDigest: the layers of the plan */
  gint64 planned;    /* monotonic time at which the plan was made */
} Collection;

static void
collection_clear (Collection *collection)
{
  lm_database_close (collection->database);
  g_clear_pointer (&collection->warnings, g_ptr_array_unref);
  lm_collect_plan_free (collection->plan);
  g_free (collection->needs);
  g_clear_pointer (&collection->known, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Collection, collection_clear)

static void
add_identity (GString *text, const char *path)
{
  struct stat st;
  if (lstat (path, &st) < 0)
    return;
  const LmIdentity identity = lm_identity_of (&st);
  g_autofree char *line = lm_identity_format (&identity);
  g_string_append (text, line);
}

/* Returns a text that differs after a file was created or renamed in any directory of a
 * machine, or the catalog of what was made here has changed. */
static char *
describe_needs (const LmHost *host, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *dir = g_build_filename (host->state_dir, "machines", NULL);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, &failure);
  if (names == NULL && !g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (dir, g_ptr_array_index (names, i), NULL);
      if (g_uuid_string_is_valid (g_ptr_array_index (names, i)))
        add_identity (text, path);
    }
  g_autofree char *local = g_build_filename (host->state_dir, "catalogs", LM_LOCAL_NAME ".catalog", NULL);
  add_identity (text, local);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
make_plan (Collection *collection, GError **error)
{
  g_clear_pointer (&collection->needs, g_free);
  g_clear_pointer (&collection->plan, lm_collect_plan_free);
  collection->needs = describe_needs (collection->host, error);
  if (collection->needs == NULL)
    return FALSE;
  const LmUsersScope scope = lm_host_scope (collection->host);
  collection->plan
    = lm_collect_plan_new (collection->host, &scope, collection->virt, collection->cache, collection->limits, collection->cancellable, error);
  if (collection->plan == NULL)
    return FALSE;
  collection->planned = g_get_monotonic_time ();
  g_clear_pointer (&collection->known, g_hash_table_unref);
  collection->known = g_hash_table_new (lm_digest_hash, lm_digest_equal_func);
  const GPtrArray *entries = collection->plan->users->entries;
  for (guint i = 0; i < entries->len; i++)
    g_hash_table_add (collection->known, &((LmCacheEntry *) g_ptr_array_index (entries, i))->digest);
  return TRUE;
}

/* Whether nothing can have come to need @item since the plan was made. To be called
 * under the exclusive lock of the cache, under which nothing is published. A launch
 * holds a lease, which lm_cache_remove() checks, until its machine has a directory. */
static gboolean
check_current (const Collection *collection, const LmCollectItem *item, gboolean *out_current, GError **error)
{
  g_autofree char *needs = describe_needs (collection->host, error);
  g_autoptr (GHashTable) pins = needs != NULL ? lm_database_list_pins (collection->database, error) : NULL;
  g_autoptr (GPtrArray) digests = pins != NULL ? lm_cache_list_digests (collection->cache, LM_BLOB_LAYER, error) : NULL;
  if (digests == NULL)
    return FALSE;
  *out_current = strcmp (needs, collection->needs) == 0
                 && !g_hash_table_contains (pins, &item->use->entry->digest);
  /* A new layer may have been built on this one. */
  for (guint i = 0; *out_current && i < digests->len; i++)
    *out_current = g_hash_table_contains (collection->known, g_ptr_array_index (digests, i));
  return TRUE;
}

/* Removes one file, unless the plan is outdated or a process needs it now. */
static gboolean
remove_victim (Collection *collection, const LmCollectItem *item, gboolean *out_current, GError **error)
{
  const LmCacheEntry *entry = item->use->entry;
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmLock) lock
    = lm_cache_lock (collection->cache, LM_LOCK_EXCLUSIVE, LM_CACHE_LOCK_MS, collection->cancellable, error);
  if (lock == NULL || !check_current (collection, item, out_current, error))
    return FALSE;
  if (!*out_current)
    return TRUE;
  if (!lm_fault_point ("collect-before-remove", error))
    return FALSE;
  if (lm_cache_remove (collection->cache, lock, entry->kind, &entry->digest, &failure))
    {
      collection->removed (collection->data, &(LmCollectRemoval){ .item = item });
      return lm_fault_point ("collect-after-remove", error);
    }
  if (g_error_matches (failure, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY))
    {
      *out_current = FALSE;
      return TRUE;
    }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Removes the victims of the plan until it is outdated. */
static gboolean
remove_victims (Collection *collection, guint *out_removed, gboolean *out_current, GError **error)
{
  *out_removed = 0;
  *out_current = TRUE;
  for (guint i = 0; i < collection->plan->victims->len; i++)
    {
      if (i > 0 && g_get_monotonic_time () - collection->planned > MAX_AGE)
        *out_current = FALSE;
      if (!*out_current)
        return TRUE;
      if (g_cancellable_set_error_if_cancelled (collection->cancellable, error)
          || !remove_victim (collection, g_ptr_array_index (collection->plan->victims, i), out_current, error))
        return FALSE;
      *out_removed += *out_current ? 1 : 0;
    }
  return TRUE;
}

/* Sets *out_current to FALSE if a process continues one of them meanwhile. */
static gboolean
remove_parts (Collection *collection, gboolean *out_current, GError **error)
{
  *out_current = TRUE;
  for (guint i = 0; i < collection->plan->stale->len; i++)
    {
      const LmPartialEntry *part = g_ptr_array_index (collection->plan->stale, i);
      g_autoptr (GError) failure = NULL;
      if (lm_partial_remove (collection->cache, &part->digest, &failure))
        collection->removed (collection->data, &(LmCollectRemoval){ .part = part });
      else if (g_error_matches (failure, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY))
        *out_current = FALSE;
      else
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
remove_damaged (Collection *collection, GError **error)
{
  const GPtrArray *damaged = collection->plan->damaged;
  for (guint i = 0; i < collection->plan->forgotten; i++)
    {
      const LmQuarantineEntry *entry = g_ptr_array_index (damaged, damaged->len - 1 - i);
      if (!lm_quarantine_remove (collection->cache, entry, error))
        return FALSE;
      collection->removed (collection->data, &(LmCollectRemoval){ .damaged = entry });
    }
  return TRUE;
}

/* Returns the names of machines that have a lock but, according to @users, no record. */
static GPtrArray *
list_idle_names (const LmHost *host, const LmLayerUsers *users)
{
  GPtrArray *idle = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *dir = g_build_filename (host->state_dir, "machines", NULL);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, NULL);
  g_autoptr (GHashTable) used = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < users->users->len; i++)
    {
      const LmLayerUser *user = g_ptr_array_index (users->users, i);
      if (user->recorded != NULL)
        g_hash_table_add (used, user->recorded);
    }
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      if (!g_str_has_suffix (name, ".lock"))
        continue;
      g_autofree char *machine = g_strndup (name, strlen (name) - strlen (".lock"));
      if (!g_hash_table_contains (used, machine))
        g_ptr_array_add (idle, g_steal_pointer (&machine));
    }
  return idle;
}

/* Removes locks that killed runs left; one that a process holds is not one of them. */
static void
remove_locks (const LmHost *host, const LmLayerUsers *users, gboolean dry_run, LmCollectFunc removed, gpointer data)
{
  g_autoptr (GPtrArray) idle = list_idle_names (host, users);
  for (guint i = 0; i < idle->len; i++)
    {
      const char *name = g_ptr_array_index (idle, i);
      g_autofree char *file = g_strconcat (name, ".lock", NULL);
      g_autofree char *path = g_build_filename (host->state_dir, "machines", file, NULL);
      LmLock *lock = lm_machine_lock (host->state_dir, name, 0, NULL, NULL);
      if (lock == NULL)
        continue;
      removed (data, &(LmCollectRemoval){ .lock = path });
      if (dry_run)
        lm_lock_release (lock);
      else
        lm_name_lock_release (host, name, lock);
    }
}

static void
remove_source_locks (const LmHost *host, gboolean dry_run, LmCollectFunc removed, gpointer data)
{
  g_autoptr (GPtrArray) paths = lm_source_remove_unused_locks (host->state_dir, dry_run);
  for (guint i = 0; i < paths->len; i++)
    removed (data, &(LmCollectRemoval){ .lock = g_ptr_array_index (paths, i) });
}

static gboolean
remove_orphans (Collection *collection, GError **error)
{
  for (guint i = 0; i < collection->plan->orphans->len; i++)
    {
      const LmOrphan *orphan = g_ptr_array_index (collection->plan->orphans, i);
      const char *name = orphan->user->recorded;
      g_autoptr (GError) failure = NULL;
      gboolean removed = FALSE;
      LmLock *lock = lm_name_lock_acquire (collection->host, name, collection->cancellable, error);
      if (lock == NULL)
        return FALSE;
      gboolean ok = lm_orphan_remove (collection->host, collection->virt, orphan, &removed, collection->cancellable, &failure);
      lm_name_lock_release (collection->host, name, lock);
      if (ok && removed)
        collection->removed (collection->data, &(LmCollectRemoval){ .orphan = orphan });
      else if (!ok && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      else if (!ok)
        collection->host->warning (collection->host->user_data, failure->message);
    }
  return TRUE;
}

/* Also reads everything that is to be believed, so that a damaged database is replaced now. */
static gboolean
open_collection_database (Collection *collection, GError **error)
{
  GPtrArray *warnings = collection->warnings = g_ptr_array_new_with_free_func (g_free);
  LmDatabase *database = collection->database = lm_database_open (collection->host->state_dir, warnings, error);
  g_autoptr (GHashTable) uses = database != NULL ? lm_database_list_uses (database, error) : NULL;
  g_autoptr (GHashTable) pins = uses != NULL ? lm_database_list_pins (database, error) : NULL;
  for (guint i = 0; i < warnings->len; i++)
    collection->host->warning (collection->host->user_data, g_ptr_array_index (warnings, i));
  return pins != NULL;
}

/* Removes orphans first, because that changes what is needed. */
static gboolean
begin_collection (Collection *collection, GError **error)
{
  if (!open_collection_database (collection, error))
    return FALSE;
  if (!collection->limits->orphans)
    return make_plan (collection, error);
  LmCollectLimits all = *collection->limits;
  all.orphans = FALSE;
  const LmCollectLimits *limits = collection->limits;
  collection->limits = &all;
  gboolean ok = make_plan (collection, error) && remove_orphans (collection, error) && make_plan (collection, error);
  collection->limits = limits;
  return ok;
}

/* What the plan says about the cache is from before its files were removed. */
static void
subtract_removed (LmCollectPlan *plan)
{
  guint64 removed = 0;
  for (guint i = 0; i < plan->victims->len; i++)
    removed += ((LmCollectItem *) g_ptr_array_index (plan->victims, i))->use->entry->allocated;
  for (guint i = 0; i < plan->stale->len; i++)
    removed += ((LmPartialEntry *) g_ptr_array_index (plan->stale, i))->allocated;
  for (guint i = 0; i < plan->forgotten; i++)
    removed += ((LmQuarantineEntry *) g_ptr_array_index (plan->damaged, plan->damaged->len - 1 - i))->allocated;
  plan->size -= MIN (removed, plan->size);
}

/* Removes files until the limits hold or nothing more can be removed. */
static gboolean
collect_files (Collection *collection, GError **error)
{
  for (guint outdated = 0; outdated < MAX_OUTDATED;)
    {
      guint removed = 0;
      gboolean current;
      if (!remove_parts (collection, &current, error) || !remove_damaged (collection, error)
          || (current && !remove_victims (collection, &removed, &current, error)))
        return FALSE;
      if (current)
        {
          subtract_removed (collection->plan);
          return TRUE;
        }
      outdated = removed > 0 ? 0 : outdated + 1;
      lm_trace (LM_TRACE_CACHE, "the users of the cache are determined again after %u deletions", removed);
      if (!make_plan (collection, error))
        return FALSE;
    }
  return lm_throw (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_BUSY,
                   "other processes keep changing machines and layers; try again later");
}

LmCollectPlan *
lm_collect_run (const LmHost *host, LmVirt *virt, LmCache *cache, const LmCollectLimits *limits, LmCollectFunc removed,
                gpointer data, GCancellable *cancellable, GError **error)
{
  LmCollectLimits now = *limits;
  g_auto (Collection) collection = { .host = host, .virt = virt, .cache = cache, .limits = &now, .removed = removed,
                                     .data = data, .cancellable = cancellable };
  if (!begin_collection (&collection, error))
    return NULL;
  /* A machine that could not be removed needs its layers. */
  now.orphans = FALSE;
  lm_machine_remove_leftovers (host->state_dir);
  lm_work_dir_remove_left (cache);
  remove_locks (host, collection.plan->users, FALSE, removed, data);
  remove_source_locks (host, FALSE, removed, data);
  return collect_files (&collection, error) && lm_scrub_remove_notes (cache, error) ? g_steal_pointer (&collection.plan) : NULL;
}

void
lm_collect_dry_run (const LmHost *host, const LmCollectPlan *plan, const LmCollectLimits *limits, LmCollectFunc removed,
                    gpointer data)
{
  for (guint i = 0; limits->orphans && i < plan->orphans->len; i++)
    {
      const LmOrphan *orphan = g_ptr_array_index (plan->orphans, i);
      if (orphan->refused == NULL)
        removed (data, &(LmCollectRemoval){ .orphan = orphan });
    }
  remove_locks (host, plan->users, TRUE, removed, data);
  remove_source_locks (host, TRUE, removed, data);
  for (guint i = 0; i < plan->stale->len; i++)
    removed (data, &(LmCollectRemoval){ .part = g_ptr_array_index (plan->stale, i) });
  for (guint i = 0; i < plan->forgotten; i++)
    removed (data, &(LmCollectRemoval){ .damaged = g_ptr_array_index (plan->damaged, plan->damaged->len - 1 - i) });
  for (guint i = 0; i < plan->victims->len; i++)
    removed (data, &(LmCollectRemoval){ .item = g_ptr_array_index (plan->victims, i) });
}

/* Describes the limits that are exceeded, and by how much. */
static char *
describe_limits (const LmCollectPlan *plan, const LmCollectLimits *limits)
{
  g_autofree char *size = lm_size_format (plan->size);
  g_autofree char *available = lm_size_format (plan->free);
  g_autofree char *needed = lm_size_format (limits->needed);
  g_autofree char *more = limits->needed > 0 ? g_strdup_printf (" and %s more are needed", needed) : g_strdup ("");
  g_autofree char *max = lm_size_format (limits->max_size);
  g_autofree char *min = lm_size_format (limits->min_free);
  if (limits->max_size != G_MAXUINT64 && lm_size_add (plan->size, limits->needed) > limits->max_size)
    return g_strdup_printf ("the cache occupies %s%s, but its max-size is %s", size, more, max);
  return g_strdup_printf ("%s are free%s, but min-free is %s", available, more, min);
}

gboolean
lm_collect_throw (const LmCollectPlan *plan, const LmCollectLimits *limits, GError **error)
{
  if (plan->missing == 0)
    return TRUE;
  g_autofree char *what = describe_limits (plan, limits);
  const GPtrArray *unknown = plan->users->unknown;
  if (unknown->len > 0)
    {
      g_autofree char *others = unknown->len > 1 ? g_strdup_printf (" (and %u more)", unknown->len - 1) : g_strdup ("");
      return lm_throw (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_UNKNOWN,
                       "%s, and nothing is removed because it cannot be determined who needs it: %s%s", what,
                       (const char *) g_ptr_array_index (unknown, 0), others);
    }
  g_autofree char *holders = lm_collect_plan_holders (plan);
  g_autofree char *missing = lm_size_format (plan->missing);
  return lm_throw (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_NO_SPACE, "%s, and %s cannot be freed; needed by %s", what,
                   missing, *holders != '\0' ? holders : "nobody");
}

LmCollectLimits
lm_collect_get_limits (const LmHost *host)
{
  return (LmCollectLimits){ .max_size = host->max_size > 0 ? host->max_size : G_MAXUINT64, .min_free = host->min_free };
}
