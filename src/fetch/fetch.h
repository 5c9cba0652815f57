/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Fetch: makes every blob of a list be in the cache. All missing
 * files move at once; each is hashed while it arrives and published only when
 * its digest is the one that names it and, for a layer, when lm_image_vet()
 * accepts it with its declared parent.
 *
 * N processes that need one file cause one transfer: the one that holds the
 * lock beside the .part moves bytes, the others look at the .part's size and
 * try the lock again, so they take over where a dead holder stopped. No
 * process ever blocks on a lock while it holds one, so no order of plans can
 * deadlock. */
#include "cache/cache.h"
#include "io/http.h"
#include "io/retry.h"

typedef enum
{
  LM_FETCH_ERROR_SOURCE,   /* no URL gives the file: network, server, not found */
  LM_FETCH_ERROR_DIGEST,   /* some URL gives other bytes and none the right ones */
  LM_FETCH_ERROR_REFUSED,  /* the right bytes, but no layer that may be used */
  LM_FETCH_ERROR_NO_SPACE, /* the file system or a quota is full */
  LM_FETCH_ERROR_BUSY,     /* another process has it in hand and does not get on */
  LM_FETCH_ERROR_FAILED,   /* the rest: a disk error, qemu-img missing, ... */
} LmFetchError;

#define LM_FETCH_ERROR lm_fetch_error_quark ()
GQuark lm_fetch_error_quark (void);

typedef enum
{
  LM_FETCH_WAITING,      /* for its turn, for another process, or before a retry */
  LM_FETCH_TRANSFERRING,
  LM_FETCH_VERIFYING,    /* all bytes are here: digest, vetting, publication */
  LM_FETCH_DONE,
} LmFetchState;

/* One file that was missing. Strings are those of the blob. */
typedef struct
{
  const LmBlob *blob;
  guint64 done;           /* bytes here, of blob->size */
  LmFetchState state;
  gboolean elsewhere;     /* another process transfers it; done is its progress */
  guint failures;         /* failed tries so far */
  const char *url;        /* being read, or read last; NULL: none */
} LmFetchItemProgress;

typedef struct
{
  const LmFetchItemProgress *items; /* in the order of the list; the same ones each time */
  guint n_items;
  guint64 done;  /* bytes, over all items */
  guint64 total;
} LmFetchProgress;

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

/* What this run moved itself. */
typedef struct
{
  guint files;   /* transferred and published by this process */
  guint64 bytes; /* received, also such as were thrown away */
} LmFetchTotals;

/** lm_fetch_run: on success all of @blobs (LmBlob) are in @cache. Without missing
 * files it touches neither network nor locks. After a failure or a
 * cancellation (G_IO_ERROR_CANCELLED) what arrived stays in partial/ for the
 * next run, unless it was proven wrong. @options, @progress and @out_totals
 * may be NULL; *out_totals is written also on failure. Blocks.
 * Errors: LM_FETCH_ERROR, G_IO_ERROR_CANCELLED. */
gboolean lm_fetch_run (const GPtrArray *blobs, LmCache *cache, const LmFetchOptions *options, LmFetchProgressFunc progress,
                       gpointer user_data, LmFetchTotals *out_totals, GCancellable *cancellable,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
