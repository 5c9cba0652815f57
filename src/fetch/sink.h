/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where the bytes of one file go: a bounded ring of buffers between the thread
 * that receives and two that hash and write. Commands travel in the same
 * queues as the bytes, so order needs no locks:
 *
 *   lm_fetch_sink_write ──► chunk ─┬─► hasher  (SHA-256; then complete())
 *                                  └─► writer  (.part; then sync)
 *
 * Where no thread can be had, lm_fetch_sink_write() and _finish() do that work
 * and block meanwhile.
 *
 * Private to fetch. Called in one thread unless said otherwise. */
#include "cache/partial.h"

typedef struct _LmFetchSink LmFetchSink;

typedef struct
{
  /* In the hashing thread, when all bytes are hashed and written; @got is
   * their digest. */
  gboolean (*complete) (LmFetchSink *sink, const LmDigest *got, gpointer user_data, GError **error);
  /* From any thread: there is room again, or something to poll. */
  void (*wake) (gpointer user_data);
} LmFetchSinkHandler;

/** lm_fetch_sink_new: continues after the bytes that @partial has, which are
 * hashed again; has the disk space for @size bytes in all reserved (for a failure
 * see lm_fetch_sink_check()). @memory is the size of its ring in bytes. */
LmFetchSink *lm_fetch_sink_new (LmPartial *partial, guint64 size, gsize memory, const LmFetchSinkHandler *handler,
                                gpointer user_data);

/** lm_fetch_sink_free: what was taken is written, then the threads end. */
void lm_fetch_sink_free (LmFetchSink *sink);

/** lm_fetch_sink_write: takes all of @data, or nothing (FALSE) while the ring
 * is full; wake() tells when to try again. Does not block. */
gboolean lm_fetch_sink_write (LmFetchSink *sink, const void *data, gsize size);

/** lm_fetch_sink_flush: passes on a buffer that is not full yet. */
void lm_fetch_sink_flush (LmFetchSink *sink);

/** lm_fetch_sink_get_position: bytes taken so far, with those it began with. */
guint64 lm_fetch_sink_get_position (LmFetchSink *sink);

/** lm_fetch_sink_has_room: whether a paused transfer is worth waking. */
gboolean lm_fetch_sink_has_room (LmFetchSink *sink);

/** lm_fetch_sink_reset: back to no bytes. */
void lm_fetch_sink_reset (LmFetchSink *sink);

/** lm_fetch_sink_finish: no more bytes: sync, and complete() in its thread. */
void lm_fetch_sink_finish (LmFetchSink *sink);

/** lm_fetch_sink_poll: TRUE once complete() has returned; @error is what it
 * gave, and then the sink may be reset and used again. */
gboolean lm_fetch_sink_poll (LmFetchSink *sink, GError **error);

/** lm_fetch_sink_check: whether all could be written so far. */
gboolean lm_fetch_sink_check (LmFetchSink *sink, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_fetch_sink_wait_synced: for complete(): blocks until the file is durable. */
gboolean lm_fetch_sink_wait_synced (LmFetchSink *sink, GError **error) G_GNUC_WARN_UNUSED_RESULT;
