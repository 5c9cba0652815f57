/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/room.h"
#include "base/error.h"
#include "base/size.h"
#include "cache/partial.h"
#include "ops/collect.h"

/* How often others may take the room that was made. */
#define MAX_ATTEMPTS 20

static void
announce_removal (gpointer data, const LmCollectRemoval *removal)
{
  const LmHost *host = data;
  if (removal->item == NULL && removal->damaged == NULL)
    return;
  const char *path = removal->item != NULL ? removal->item->use->entry->path : removal->damaged->path;
  g_autofree char *size = lm_size_format (removal->item != NULL ? removal->item->use->entry->allocated : removal->damaged->allocated);
  g_autofree char *text = g_strdup_printf ("removed %s (%s) from the cache to make room", path, size);
  host->status (host->user_data, text);
}

/* Who uses the files could only be asked of libvirt, which holds the lock of the domain. */
static gboolean
throw_in_start (const LmHost *host, guint64 excess, GError **error)
{
  g_autofree char *more = lm_size_format (excess);
  return lm_throw (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_NO_SPACE,
                   "max-size or min-free would be exceeded by %s, and nothing is removed from the cache in %s while "
                   "libvirt waits for the start", more, host->state_dir);
}

/* Makes room for @limits->needed more bytes; others may take it at once. */
static gboolean
collect (const LmHost *host, LmCache *cache, const LmCollectLimits *limits, GCancellable *cancellable, GError **error)
{
  const LmUsersScope scope = lm_host_scope (host);
  g_autoptr (LmCollectPlan) plan = lm_collect_plan_new (host, &scope, NULL, cache, limits, cancellable, error);
  if (plan == NULL || !lm_collect_throw (plan, limits, error))
    return FALSE;
  g_autoptr (LmCollectPlan) done
    = lm_collect_run (host, NULL, cache, limits, announce_removal, (gpointer) host, cancellable, error);
  return done != NULL && lm_collect_throw (done, limits, error);
}

/* Returns how many bytes the files in @missing will occupy in addition to what they occupy now. */
static guint64
add_needed (LmCache *cache, const GPtrArray *missing)
{
  guint64 needed = 0;
  for (guint i = 0; i < missing->len; i++)
    {
      const LmBlob *blob = g_ptr_array_index (missing, i);
      guint64 received, held;
      lm_partial_stat (cache, &blob->digest, &received, &held);
      needed = lm_size_add (needed, blob->size > held ? blob->size - held : 0);
    }
  return needed;
}

static gboolean
claim_all (LmCache *cache, const GPtrArray *missing, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < missing->len; i++)
    if (!lm_partial_claim (cache, &((LmBlob *) g_ptr_array_index (missing, i))->digest, cancellable, error))
      return FALSE;
  return TRUE;
}

static gboolean
hold_all (LmCache *cache, const GPtrArray *missing, GError **error)
{
  for (guint i = 0; i < missing->len; i++)
    {
      const LmBlob *blob = g_ptr_array_index (missing, i);
      if (!lm_partial_hold (cache, &blob->digest, blob->size, error))
        return FALSE;
    }
  return TRUE;
}

/* Reserves the room if it is there. Under the lock, because otherwise two pulls could take
 * the same room; without anything that takes long. */
static gboolean
try_reserve (LmCache *cache, const GPtrArray *missing, LmCollectLimits *limits, guint64 *out_excess,
             GCancellable *cancellable, GError **error)
{
  guint64 size, available;
  g_autoptr (LmLock) lock = lm_cache_lock (cache, LM_LOCK_EXCLUSIVE, LM_CACHE_LOCK_MS, cancellable, error);
  if (lock == NULL)
    return FALSE;
  limits->needed = add_needed (cache, missing);
  if (!lm_collect_excess (cache, limits, &size, &available, out_excess, error))
    return FALSE;
  return *out_excess > 0 || hold_all (cache, missing, error);
}

static gboolean
reserve (const LmHost *host, LmCache *cache, const GPtrArray *missing, GCancellable *cancellable, GError **error)
{
  LmCollectLimits limits = lm_collect_get_limits (host);
  if (!claim_all (cache, missing, cancellable, error))
    return FALSE;
  for (guint attempt = 0; attempt < MAX_ATTEMPTS; attempt++)
    {
      guint64 excess;
      if (!try_reserve (cache, missing, &limits, &excess, cancellable, error))
        return FALSE;
      if (excess == 0)
        return TRUE;
      if (host->in_start)
        return throw_in_start (host, excess, error);
      if (!collect (host, cache, &limits, cancellable, error))
        return FALSE;
    }
  return lm_throw (error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_BUSY,
                   "other processes keep taking the room that is made in the cache; try again later");
}

gboolean
lm_room_make (const LmHost *host, LmCache *cache, const GPtrArray *blobs, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) missing = g_ptr_array_new ();
  for (guint i = 0; i < blobs->len; i++)
    {
      LmCacheState state;
      if (!lm_cache_check (cache, g_ptr_array_index (blobs, i), &state, cancellable, error))
        return FALSE;
      if (state != LM_CACHE_PRESENT)
        g_ptr_array_add (missing, g_ptr_array_index (blobs, i));
    }
  const gboolean limited = missing->len > 0 && (host->max_size > 0 || host->min_free > 0);
  if ((!limited || reserve (host, cache, missing, cancellable, error))
      && lm_cache_check_space (cache, add_needed (cache, missing), error))
    return TRUE;
  lm_room_release (cache, missing);
  return FALSE;
}

void
lm_room_release (LmCache *cache, const GPtrArray *blobs)
{
  for (guint i = 0; i < blobs->len; i++)
    lm_partial_drop_empty (cache, &((const LmBlob *) g_ptr_array_index (blobs, i))->digest);
}
