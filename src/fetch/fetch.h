/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Downloads the missing blobs of a list to the cache, in parallel. A blob is hashed
 * while it arrives, and published only if its digest is the right one and, for a
 * layer, if lm_image_vet() accepts it with its declared parent and its disk is not
 * smaller than that of the parent, which is therefore published first.
 *
 * A file that several processes need is transferred once: the process that holds
 * the lock of the .part file transfers it; the others watch the size of that file
 * and try to get the lock, so that they continue it if the holder dies. No process
 * waits for a lock while it holds one, so there is no deadlock. */
#include "cache/cache.h"
#include "fetch/error.h"
#include "fetch/progress.h"
#include "io/http.h"
#include "io/retry.h"

/* Called in the thread of lm_fetch_run(), at a limited rate, and once at the end.
 * @progress is valid only during the call. */
typedef void (*LmFetchProgressFunc) (const LmFetchProgress *progress, gpointer user_data);

/* A value of zero means the default. */
typedef struct
{
  guint transfers;     /* maximum number at a time; default 8 */
  guint busy_seconds;  /* how long to wait for another process that makes no progress; default 600 */
  guint progress_ms;   /* interval between calls of the progress function; default 100 */
  LmRetryPolicy retry;
  LmHttpOptions http;
} LmFetchOptions;

/** lm_fetch_run: on success all @blobs (LmBlob) are in @cache. If none is missing,
 * uses neither network nor locks. The caller has checked that there is room for all
 * (ops/room.h); whether there is for each of them is checked when it begins. After a failure or a cancellation
 * (G_IO_ERROR_CANCELLED) what was received is kept in partial/ for the next run,
 * unless it is known to be wrong. @options, @progress and @out_totals may be NULL;
 * *out_totals is set also on failure. Blocks. Errors: LM_FETCH_ERROR,
 * G_IO_ERROR_CANCELLED. */
gboolean lm_fetch_run (const GPtrArray *blobs, LmCache *cache, const LmFetchOptions *options, LmFetchProgressFunc progress,
                       gpointer user_data, LmFetchTotals *out_totals, GCancellable *cancellable,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
