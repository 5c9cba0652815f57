/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* One file on its way into the cache, a state machine that lm_fetch_run()
 * steps. Private to fetch.
 *
 *   LOCK ──► READY ◄──► MOVING        LOCK: for a slot, or for another process
 *     │        │ all bytes            READY: now, or when a retry is due
 *     │        ▼
 *     │     FINISHING ──► DONE        wrong digest: back to READY, next URL
 *     │        │ ▲         ▲
 *     │        ▼ │         │          PARENT: until the parent is published, whose
 *     │      PARENT        │          disk size a child is compared with
 *     └────────────────────┘          (another process published it)
 */
#include "cache/cache.h"
#include "fetch/host.h"
#include "fetch/progress.h"
#include "fetch/served.h"
#include "io/retry.h"
#include "store/store.h"

typedef struct _LmFetchItem LmFetchItem;

/* What the items of one run share. */
typedef struct
{
  LmCache *cache;
  LmStore *store;
  GCancellable *cancellable;
  const LmRetryPolicy *retry;
  guint busy_seconds; /* how long another process may make no progress */
  gboolean no_delay;  /* tests: retries do not wait */
  gsize memory;       /* bytes for the ring of one file */
  guint slots;        /* how many more items may hold a lock */
  LmHosts *hosts;
  LmServed *served;
  LmFetchTotals totals;
} LmFetchRun;

/** lm_fetch_item_new: @blob outlives it. */
LmFetchItem *lm_fetch_item_new (LmFetchRun *run, const LmBlob *blob);

/** lm_fetch_item_set_parent: sets the item that fetches the parent of this layer in
 * the same run; it must not be freed while @self is stepped. Without one, the parent is in
 * the cache or nowhere. */
void lm_fetch_item_set_parent (LmFetchItem *self, LmFetchItem *parent);

/** lm_fetch_item_get_blob: returns the blob of @self; owned by the caller of
 * lm_fetch_item_new(). */
const LmBlob *lm_fetch_item_get_blob (const LmFetchItem *self);

/** lm_fetch_item_free: stops what is under way; bytes that arrived stay. */
void lm_fetch_item_free (LmFetchItem *self);

/** lm_fetch_item_step: does what can be done at @now (monotonic, us) without
 * waiting. FALSE: this file cannot be had. Errors: LM_FETCH_ERROR, G_IO_ERROR_CANCELLED. */
gboolean lm_fetch_item_step (LmFetchItem *self, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean lm_fetch_item_is_done (LmFetchItem *self);

/** lm_fetch_item_get_progress: fills in *out; strings live as long as @self. */
void lm_fetch_item_get_progress (LmFetchItem *self, LmFetchItemProgress *out);
