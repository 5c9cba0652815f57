/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* How far a fetch is: values that lm_fetch_run() gives to its caller. */
#include "base/blob.h"

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
  gboolean other_process; /* another process transfers it; done is its progress */
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

/* What this run moved itself. */
typedef struct
{
  guint files;   /* transferred and published by this process */
  guint64 bytes; /* received, also such as were thrown away */
} LmFetchTotals;
