/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/fetch.h"
#include "base/testenv.h"
#include "fetch/item.h"

#define TRANSFERS 8
/* Each of them is short and mostly waits for the disk. */
#define PUBLISHERS 2
#define BUSY_SECONDS 600
#define PROGRESS_MS 100
#define POLL_MS 50
/* Size of the rings of all transfers together. */
#define MEMORY (24 * 1024 * 1024)

static guint
hash_blob (gconstpointer blob)
{
  return lm_digest_hash (&((const LmBlob *) blob)->digest);
}

/* A layer and a file with the same digest are two blobs. */
static gboolean
is_same_blob (gconstpointer a, gconstpointer b)
{
  const LmBlob *one = a, *other = b;
  return one->kind == other->kind && lm_digest_equal (&one->digest, &other->digest);
}

/* Returns those of @blobs that are missing or damaged, without duplicates. */
static GPtrArray *
find_missing (const GPtrArray *blobs, LmCache *cache, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) missing = g_ptr_array_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (hash_blob, is_same_blob);
  for (guint i = 0; i < blobs->len; i++)
    {
      LmBlob *blob = blobs->pdata[i];
      LmCacheState state;
      if (!g_hash_table_add (seen, blob))
        continue;
      if (!lm_cache_check (cache, blob, &state, cancellable, error))
        return NULL;
      if (state != LM_CACHE_PRESENT)
        g_ptr_array_add (missing, blob);
    }
  return g_steal_pointer (&missing);
}

static void
report_progress (GPtrArray *items, LmFetchItemProgress *entries, LmFetchProgressFunc progress, gpointer user_data)
{
  if (progress == NULL)
    return;
  LmFetchProgress now = { .items = entries, .n_items = items->len };
  for (guint i = 0; i < items->len; i++)
    {
      lm_fetch_item_get_progress (items->pdata[i], &entries[i]);
      now.done += entries[i].done;
      now.total += entries[i].blob->size;
    }
  progress (&now, user_data);
}

static gboolean
step_all_items (GPtrArray *items, gboolean *out_all_done, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  gboolean all_done = TRUE;
  for (guint i = 0; i < items->len; i++)
    {
      if (!lm_fetch_item_step (items->pdata[i], now, error))
        return FALSE;
      all_done &= lm_fetch_item_is_done (items->pdata[i]);
    }
  *out_all_done = all_done;
  return TRUE;
}

/* Tells each item which item fetches its parent. */
static void
link_parents (GPtrArray *items)
{
  g_autoptr (GHashTable) layers = g_hash_table_new (lm_digest_hash, lm_digest_equal_func);
  for (guint i = 0; i < items->len; i++)
    {
      const LmBlob *blob = lm_fetch_item_get_blob (items->pdata[i]);
      if (blob->kind == LM_BLOB_LAYER)
        g_hash_table_insert (layers, (gpointer) &blob->digest, items->pdata[i]);
    }
  for (guint i = 0; i < items->len; i++)
    {
      const LmBlob *blob = lm_fetch_item_get_blob (items->pdata[i]);
      if (blob->kind == LM_BLOB_LAYER && blob->has_parent)
        lm_fetch_item_set_parent (items->pdata[i], g_hash_table_lookup (layers, &blob->parent));
    }
}

static gboolean
transfer_all (LmFetchRun *run, GPtrArray *missing, guint progress_ms, LmFetchProgressFunc progress, gpointer user_data,
              GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_fetch_item_free);
  for (guint i = 0; i < missing->len; i++)
    g_ptr_array_add (items, lm_fetch_item_new (run, missing->pdata[i]));
  link_parents (items);
  g_autofree LmFetchItemProgress *entries = g_new0 (LmFetchItemProgress, items->len);
  gint64 next_report = 0;
  gboolean ok, all_done = FALSE;
  while ((ok = !g_cancellable_set_error_if_cancelled (run->cancellable, error)
          && step_all_items (items, &all_done, error)) && !all_done)
    {
      gint64 now = g_get_monotonic_time ();
      if (now >= next_report)
        {
          report_progress (items, entries, progress, user_data);
          next_report = now + (gint64) progress_ms * 1000;
        }
      lm_store_iterate (run->store, POLL_MS);
    }
  report_progress (items, entries, progress, user_data);
  return ok;
}

static LmFetchOptions
get_options_with_defaults (const LmFetchOptions *options)
{
  LmFetchOptions filled = options ? *options : (LmFetchOptions){ 0 };
  filled.transfers = filled.transfers ? filled.transfers : TRANSFERS;
  filled.busy_seconds = filled.busy_seconds ? filled.busy_seconds : BUSY_SECONDS;
  filled.progress_ms = filled.progress_ms ? filled.progress_ms : PROGRESS_MS;
  filled.http.connections = filled.http.connections ? filled.http.connections : filled.transfers;
  return filled;
}

gboolean
lm_fetch_run (const GPtrArray *blobs, LmCache *cache, const LmFetchOptions *options, LmFetchProgressFunc progress,
              gpointer user_data, LmFetchTotals *out_totals, GCancellable *cancellable, GError **error)
{
  if (out_totals)
    *out_totals = (LmFetchTotals){ 0 };
  GError *failure = NULL;
  g_autoptr (GPtrArray) missing = find_missing (blobs, cache, cancellable, &failure);
  if (missing == NULL)
    return lm_fetch_error_translate (failure, error);
  if (missing->len == 0)
    return TRUE;

  LmFetchOptions filled = get_options_with_defaults (options);
  g_autoptr (LmStore) store = lm_store_new (&filled.http);
  g_autoptr (LmServers) servers = lm_servers_new ();
  g_autoptr (LmServed) served = lm_served_new (cache);
  LmFetchRun run = {
    .cache = cache,
    .store = store,
    .cancellable = cancellable,
    .retry = &filled.retry,
    .busy_seconds = filled.busy_seconds,
    .no_delay = lm_testenv_get (LM_TESTENV_NO_DELAY) != NULL,
    .memory = MEMORY / MIN (filled.transfers, missing->len),
    .slots = filled.transfers,
    .publishers = PUBLISHERS,
    .servers = servers,
    .served = served,
  };
  gboolean ok = transfer_all (&run, missing, filled.progress_ms, progress, user_data, error);
  if (out_totals)
    *out_totals = run.totals;
  return ok;
}
