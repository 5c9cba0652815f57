/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Downloads one file whose digest and size are not known, over HTTP, to a scratch file
 * (scratch.h). A transfer that was interrupted, in this run or an earlier one, is continued if
 * the bytes can be told to be those of the same file: by its ETag, or because the caller
 * verifies a checksum. */
#include "fetch/scratch.h"
#include "io/http.h"
#include "io/retry.h"

typedef struct
{
  const char *url;
  const char *checksum; /* that the caller verifies; NULL if there is none */
  LmRetryPolicy retry;
  /* Makes room for the file @name of @size bytes, of which some may be there. */
  gboolean (*make_room) (gpointer user_data, const LmDigest *name, guint64 size, GError **error);
  /* @total is 0 if it is not known. */
  void (*progress) (gpointer user_data, guint64 done, guint64 total);
  LmScratchWaitFunc on_wait;
  gpointer user_data; /* of the three */
} LmDownload;

/** lm_download_ask: asks the server for the size of a file whose digest the caller knows, in
 * bytes; *out_has_size is FALSE if it does not say. Blocks. Errors: LM_FETCH_ERROR,
 * G_IO_ERROR_CANCELLED. */
gboolean lm_download_ask (const char *url, gboolean *out_has_size, guint64 *out_size, GCancellable *cancellable,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_download_run: returns the complete file. *out_resumed is whether a part of it is from an
 * earlier run, or from several responses. *out_waited as for lm_scratch_open(). After a failure
 * what was received is kept for the next run. Blocks. Errors: LM_FETCH_ERROR,
 * G_IO_ERROR_CANCELLED, those of make_room. */
LmPartial *lm_download_run (LmCache *cache, const LmDownload *download, gboolean *out_resumed, gboolean *out_waited,
                            GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
