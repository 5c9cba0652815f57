/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Downloads all missing blobs of a list into the cache, in parallel. Each is
 * hashed while it arrives and published only if its digest is the one that names
 * it and, for a layer, if lm_image_vet() accepts it with its declared parent and its
 * disk is not smaller than the parent's, which is therefore published first.
 *
 * N processes that need one file cause one transfer: the one that holds the
 * lock beside the .part moves bytes, the others poll the .part's size and
 * try the lock again, so they continue where a dead holder stopped. No
 * process ever blocks on a lock while it holds one, so there is no deadlock. */
#include "cache/cache.h"
#include "fetch/error.h"
#include "fetch/progress.h"
#include "io/http.h"
#include "io/retry.h"

/* Called in the thread of lm_fetch_run(), at a limited rate, and once at the
 * end. @progress is valid during the call only. */
typedef void (*LmFetchProgressFunc) (const LmFetchProgress *progress, gpointer user_data);

/* All zero means the defaults. */
typedef struct
{
  guint transfers;     /* most at once; default 8 */
  guint busy_seconds;  /* how long another process may have a file in hand without getting on; default 600 */
  guint progress_ms;   /* between two calls of the progress function; default 100 */
  LmRetryPolicy retry;
  LmHttpOptions http;
} LmFetchOptions;

/** lm_fetch_run: on success all of @blobs (LmBlob) are in @cache. Without missing
 * files it touches neither network nor locks. After a failure or a
 * cancellation (G_IO_ERROR_CANCELLED) what arrived stays in partial/ for the
 * next run, unless it was proven wrong. @options, @progress and @out_totals
 * may be NULL; *out_totals is written also on failure. Blocks.
 * Errors: LM_FETCH_ERROR, G_IO_ERROR_CANCELLED. */
gboolean lm_fetch_run (const GPtrArray *blobs, LmCache *cache, const LmFetchOptions *options, LmFetchProgressFunc progress,
                       gpointer user_data, LmFetchTotals *out_totals, GCancellable *cancellable,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
