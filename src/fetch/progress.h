/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The progress of a fetch, as lm_fetch_run() reports it to its caller. */
#include "base/blob.h"

typedef enum
{
  LM_FETCH_WAITING,      /* for its turn, for another process, or until a retry */
  LM_FETCH_TRANSFERRING,
  LM_FETCH_VERIFYING,    /* all bytes have arrived: checking the digest, vetting, publishing */
  LM_FETCH_DONE,
} LmFetchState;

typedef enum
{
  LM_FETCH_PULL,
  LM_FETCH_IMPORT, /* the files come out of an archive */
  LM_FETCH_PUBLISH, /* files of the cache are copied to a directory for a web server */
  LM_FETCH_VERIFY, /* files of the cache are read again, one after the other; only the present one is an item */
} LmFetchWhat;

/* One of the missing files. Strings belong to the blob. */
typedef struct
{
  const LmBlob *blob;
  guint64 done;           /* bytes that have arrived, of blob->size */
  LmFetchState state;
  gboolean other_process; /* another process is transferring it; done is its progress */
  gboolean server_busy;   /* the server refuses it while it serves another process; it is asked again */
  guint failures;         /* number of failed attempts so far */
  const char *url;        /* current or last used URL; NULL if none yet */
} LmFetchItemProgress;

typedef struct
{
  const LmFetchItemProgress *items; /* in the order of the list; the same items each time */
  guint n_items;
  guint64 done;  /* bytes, sum of all items */
  guint64 total;
  LmFetchWhat what;
} LmFetchProgress;

/* What this run transferred itself. */
typedef struct
{
  guint files;   /* transferred and published by this process */
  guint64 bytes; /* received, including bytes that were discarded */
} LmFetchTotals;
