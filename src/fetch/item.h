/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The transfer of one file to the cache, a state machine that lm_fetch_run()
 * drives. Private to fetch.
 *
 *   LOCK ──► READY ◄──► MOVING        LOCK: waiting for a slot or another process
 *     │        │ all bytes            READY: now, or when a retry is due
 *     │        ▼
 *     │     FINISHING                 wrong digest: back to READY, next URL
 *     │        ▼
 *     │      PARENT                   waiting until the parent is published, whose disk
 *     │        ▼                      size is compared; holds only the lock
 *     │    PUBLISHING ──► DONE
 *     └────────────────────┘          (another process published it) */
#include "cache/cache.h"
#include "fetch/server.h"
#include "fetch/progress.h"
#include "fetch/served.h"
#include "io/retry.h"
#include "store/store.h"

typedef struct _LmFetchItem LmFetchItem;

/* Shared by the items of a run. */
typedef struct
{
  LmCache *cache;
  LmStore *store;
  GCancellable *cancellable;
  const LmRetryPolicy *retry;
  guint busy_seconds; /* how long to wait for another process that makes no progress */
  gboolean no_delay;  /* for tests: retries do not wait */
  gsize memory;       /* size of the ring of one file in bytes */
  guint slots;        /* how many more items may transfer or verify a file */
  guint publishers;   /* how many more items may publish one */
  LmServers *servers;
  LmServed *served;
  LmFetchTotals totals;
} LmFetchRun;

/** lm_fetch_item_new: returns an item for @blob, which must outlive it; never NULL. */
LmFetchItem *lm_fetch_item_new (LmFetchRun *run, const LmBlob *blob);

/** lm_fetch_item_set_parent: sets the item that fetches the parent of this layer in
 * the same run; it must not be freed before @self. Without one, the parent is in
 * the cache, or missing. */
void lm_fetch_item_set_parent (LmFetchItem *self, LmFetchItem *parent);

/** lm_fetch_item_get_blob: returns the blob of @self; owned by the caller of
 * lm_fetch_item_new(). */
const LmBlob *lm_fetch_item_get_blob (const LmFetchItem *self);

/** lm_fetch_item_free: stops its transfer and frees it; data that was received is
 * kept. NULL is ignored. */
void lm_fetch_item_free (LmFetchItem *self);

/** lm_fetch_item_step: does what can be done at the time @now (monotonic, in
 * microseconds) without waiting. FALSE if the file cannot be fetched. Errors:
 * LM_FETCH_ERROR, G_IO_ERROR_CANCELLED. */
gboolean lm_fetch_item_step (LmFetchItem *self, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_fetch_item_is_done: whether the file is in the cache. */
gboolean lm_fetch_item_is_done (LmFetchItem *self);

/** lm_fetch_item_get_progress: fills in *out; its strings are valid as long as @self. */
void lm_fetch_item_get_progress (LmFetchItem *self, LmFetchItemProgress *out);
