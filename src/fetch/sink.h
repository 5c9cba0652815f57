/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The destination of the bytes of one file: a bounded ring of buffers between the
 * thread that receives and two threads that hash and write. Commands travel through
 * the same queues as the bytes, so their order needs no locks:
 *
 *   lm_fetch_sink_write ──► chunk ─┬─► hasher  (SHA-256; then complete())
 *                                  └─► writer  (.part; then sync)
 *
 * If no threads can be created, lm_fetch_sink_write() and lm_fetch_sink_finish() do
 * the work themselves and block.
 *
 * Private to fetch. All functions are called in the same thread unless stated
 * otherwise. */
#include "cache/partial.h"

typedef struct _LmFetchSink LmFetchSink;

typedef struct
{
  /* Called in the hashing thread when all bytes have been hashed and written; @got
   * is their digest. */
  gboolean (*complete) (LmFetchSink *sink, const LmDigest *got, gpointer user_data, GError **error);
  /* Called from any thread when there is room again, or a result for lm_fetch_sink_poll(). */
  void (*wake) (gpointer user_data);
} LmFetchSinkHandler;

/** lm_fetch_sink_new: returns a sink that continues after the bytes in @partial,
 * which are hashed again, and that reserves disk space for @size bytes in total
 * (lm_fetch_sink_check() reports a failure). @memory is the size of its ring in
 * bytes. */
LmFetchSink *lm_fetch_sink_new (LmPartial *partial, guint64 size, gsize memory, const LmFetchSinkHandler *handler,
                                gpointer user_data);

/** lm_fetch_sink_free: writes what has been accepted, then ends the threads; NULL is ignored. */
void lm_fetch_sink_free (LmFetchSink *sink);

/** lm_fetch_sink_write: accepts all of @data, or nothing (FALSE) if the ring is
 * full; wake() then tells when to try again. Does not block. */
gboolean lm_fetch_sink_write (LmFetchSink *sink, const void *data, gsize size);

/** lm_fetch_sink_flush: passes on a buffer that is only partly filled. */
void lm_fetch_sink_flush (LmFetchSink *sink);

/** lm_fetch_sink_get_position: returns the number of bytes accepted so far,
 * including those that it began with. */
guint64 lm_fetch_sink_get_position (LmFetchSink *sink);

/** lm_fetch_sink_has_room: whether there is enough room to resume a paused transfer. */
gboolean lm_fetch_sink_has_room (LmFetchSink *sink);

/** lm_fetch_sink_reset: discards all bytes. */
void lm_fetch_sink_reset (LmFetchSink *sink);

/** lm_fetch_sink_finish: to be called after the last byte: syncs the file and calls
 * complete() in the hashing thread. */
void lm_fetch_sink_finish (LmFetchSink *sink);

/** lm_fetch_sink_poll: TRUE once complete() has returned; @error is set if it
 * failed. Then the sink can be reset and used again. */
gboolean lm_fetch_sink_poll (LmFetchSink *sink, GError **error);

/** lm_fetch_sink_check: whether everything could be written so far. */
gboolean lm_fetch_sink_check (LmFetchSink *sink, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_fetch_sink_wait_synced: blocks until the file is durable; for use in complete(). */
gboolean lm_fetch_sink_wait_synced (LmFetchSink *sink, GError **error) G_GNUC_WARN_UNUSED_RESULT;
