/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/sink.h"
#include "base/error.h"
#include "base/hasher.h"
#include "base/trace.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_SIZE (256 * 1024)
/* The minimum is two, one being filled and one being processed. */
#define MIN_CHUNKS 3

typedef enum
{
  OP_DATA,
  OP_RESET,
  OP_FINISH,
  OP_QUIT,
} Op;

/* An entry of both queues; the thread that finishes with it last releases it. */
typedef struct
{
  Op op;
  gint users;
  gsize used;
  guint8 data[];
} Chunk;

struct _LmFetchSink
{
  LmPartial *partial;
  guint64 size; /* of the whole file */
  const LmFetchSinkHandler *handler;
  gpointer user_data;
  GAsyncQueue *to_hash;
  GAsyncQueue *to_write;
  GThread *hash_thread;  /* both are NULL if there are no threads; then push_chunk() does their work */
  GThread *write_thread;
  gint quitting; /* atomic; nobody waits for the digest any more */

  /* Used by the receiving thread only. */
  Chunk *current;
  guint64 position;

  GMutex lock; /* protects the members up to result */
  GCond changed;
  GPtrArray *spare; /* Chunk */
  guint made;
  guint most;
  gboolean starved;  /* a write was refused; call wake() when half is free */
  guint finishes;    /* number of OP_FINISH that the writer has reached */
  guint syncs;       /* number of OP_FINISH that the writer has synced */
  GError *error;     /* the first failure of the writer; never cleared */
  gboolean complete; /* complete() has returned, and its result has not been polled */
  GError *result;    /* its error */

  /* Used by the writing thread only. */
  gboolean write_failed;

  /* Used by the hashing thread only. */
  LmHasher *hasher;
  guint64 prefix;
  guint finish_number;
};

static void write_chunk (LmFetchSink *sink, Chunk *chunk);
static void hash_chunk (LmFetchSink *sink, Chunk *chunk);

static void
release_chunk (LmFetchSink *sink, Chunk *chunk)
{
  if (!g_atomic_int_dec_and_test (&chunk->users))
    return;
  if (chunk->op != OP_DATA)
    {
      g_free (chunk);
      return;
    }
  g_mutex_lock (&sink->lock);
  g_ptr_array_add (sink->spare, chunk);
  gboolean wake = sink->starved && sink->spare->len >= sink->most / 2;
  if (wake)
    sink->starved = FALSE;
  g_mutex_unlock (&sink->lock);
  if (wake)
    sink->handler->wake (sink->user_data);
}

static void
push_chunk (LmFetchSink *sink, Chunk *chunk)
{
  chunk->users = 2;
  if (sink->hash_thread == NULL)
    {
      write_chunk (sink, chunk);
      hash_chunk (sink, chunk);
      return;
    }
  g_async_queue_push (sink->to_write, chunk);
  g_async_queue_push (sink->to_hash, chunk);
}

static void
push_command (LmFetchSink *sink, Op op)
{
  lm_fetch_sink_flush (sink);
  Chunk *chunk = g_new0 (Chunk, 1);
  chunk->op = op;
  push_chunk (sink, chunk);
}

static void
record_error (LmFetchSink *sink, GError *error)
{
  g_mutex_lock (&sink->lock);
  if (sink->error == NULL)
    sink->error = g_steal_pointer (&error);
  g_mutex_unlock (&sink->lock);
  g_clear_error (&error);
  sink->handler->wake (sink->user_data);
}

static void
increment_counter (LmFetchSink *sink, guint *counter)
{
  g_mutex_lock (&sink->lock);
  (*counter)++;
  g_cond_broadcast (&sink->changed);
  g_mutex_unlock (&sink->lock);
}

/* Carries out one command in the writer; FALSE on failure. */
static gboolean
process_write (LmFetchSink *sink, Chunk *chunk, GError **error)
{
  switch (chunk->op)
    {
    case OP_DATA:
      return lm_partial_append (sink->partial, chunk->data, chunk->used, error);
    case OP_RESET:
      return lm_partial_truncate (sink->partial, error);
    case OP_FINISH:
      /* The hasher can read the file already, while the disk is still busy. */
      increment_counter (sink, &sink->finishes);
      return lm_partial_sync (sink->partial, error);
    case OP_QUIT:
    default:
      return TRUE;
    }
}

static void
write_chunk (LmFetchSink *sink, Chunk *chunk)
{
  g_autoptr (GError) error = NULL;
  gboolean finish = chunk->op == OP_FINISH;
  /* After a failure only the counters are updated, for those who wait for them. */
  if (!sink->write_failed && !process_write (sink, chunk, &error))
    {
      sink->write_failed = TRUE;
      record_error (sink, g_steal_pointer (&error));
    }
  else if (sink->write_failed && finish)
    increment_counter (sink, &sink->finishes);
  if (finish)
    increment_counter (sink, &sink->syncs);
  release_chunk (sink, chunk);
}

/* Done here and not before the transfer, because on tmpfs, which allocates the
 * pages at once, it takes as long as writing them. */
static void
reserve_space (LmFetchSink *sink)
{
  g_autoptr (GError) error = NULL;
  if (lm_partial_reserve (sink->partial, sink->size, &error))
    return;
  sink->write_failed = TRUE;
  record_error (sink, g_steal_pointer (&error));
}

static gpointer
write_main (gpointer data)
{
  LmFetchSink *sink = data;
  reserve_space (sink);
  for (gboolean quit = FALSE; !quit;)
    {
      Chunk *chunk = g_async_queue_pop (sink->to_write);
      quit = chunk->op == OP_QUIT;
      write_chunk (sink, chunk);
    }
  return NULL;
}

/* Hashes the bytes that were there before. It is not an error if there are fewer
 * now: either they are being reset, or the digest will not match. */
static void
hash_prefix (LmFetchSink *sink)
{
  g_autofree guint8 *buffer = sink->prefix > 0 ? g_malloc (CHUNK_SIZE) : NULL;
  int fd = lm_partial_get_fd (sink->partial);
  for (guint64 at = 0; at < sink->prefix && !g_atomic_int_get (&sink->quitting);)
    {
      ssize_t n = pread (fd, buffer, (gsize) MIN (CHUNK_SIZE, sink->prefix - at), (off_t) at);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          GError *error = NULL;
          lm_throw_errno (&error, "cannot read %s", lm_partial_get_path (sink->partial));
          record_error (sink, error);
        }
      if (n <= 0)
        return;
      lm_hasher_update (sink->hasher, buffer, (gsize) n);
      at += (guint64) n;
    }
}

static gboolean
wait_counter (LmFetchSink *sink, const guint *counter, GError **error)
{
  g_mutex_lock (&sink->lock);
  while (*counter < sink->finish_number)
    g_cond_wait (&sink->changed, &sink->lock);
  GError *failure = sink->error ? g_error_copy (sink->error) : NULL;
  g_mutex_unlock (&sink->lock);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

static void
hash_finish (LmFetchSink *sink)
{
  GError *error = NULL;
  LmDigest digest;
  sink->finish_number++;
  if (wait_counter (sink, &sink->finishes, &error))
    {
      lm_hasher_peek (sink->hasher, &digest);
      (void) sink->handler->complete (sink, &digest, sink->user_data, &error);
    }
  g_mutex_lock (&sink->lock);
  sink->complete = TRUE;
  sink->result = error;
  g_mutex_unlock (&sink->lock);
  sink->handler->wake (sink->user_data);
}

static void
hash_chunk (LmFetchSink *sink, Chunk *chunk)
{
  if (chunk->op == OP_DATA && !g_atomic_int_get (&sink->quitting))
    lm_hasher_update (sink->hasher, chunk->data, chunk->used);
  else if (chunk->op == OP_RESET)
    {
      lm_hasher_free (sink->hasher);
      sink->hasher = lm_hasher_new ();
    }
  else if (chunk->op == OP_FINISH)
    hash_finish (sink);
  release_chunk (sink, chunk);
}

static gpointer
hash_main (gpointer data)
{
  LmFetchSink *sink = data;
  hash_prefix (sink);
  for (gboolean quit = FALSE; !quit;)
    {
      Chunk *chunk = g_async_queue_pop (sink->to_hash);
      quit = chunk->op == OP_QUIT;
      hash_chunk (sink, chunk);
    }
  return NULL;
}

/* Starts both threads or neither. Without threads the receiving thread does their
 * work, which is slower, but a limit on processes is no reason to fail. */
static void
start_threads (LmFetchSink *sink)
{
  sink->write_thread = g_thread_try_new ("lm-write", write_main, sink, NULL);
  if (sink->write_thread != NULL)
    sink->hash_thread = g_thread_try_new ("lm-hash", hash_main, sink, NULL);
  if (sink->hash_thread != NULL)
    return;
  if (sink->write_thread != NULL)
    {
      Chunk *quit = g_new0 (Chunk, 1);
      quit->op = OP_QUIT;
      quit->users = 1;
      g_async_queue_push (sink->to_write, quit);
      g_thread_join (g_steal_pointer (&sink->write_thread));
    }
  lm_trace (LM_TRACE_CACHE, "cannot create threads; hashing and writing in the receiving thread");
  reserve_space (sink);
  hash_prefix (sink);
}

LmFetchSink *
lm_fetch_sink_new (LmPartial *partial, guint64 size, gsize memory, const LmFetchSinkHandler *handler, gpointer user_data)
{
  LmFetchSink *sink = g_new0 (LmFetchSink, 1);
  sink->partial = partial;
  sink->size = size;
  sink->handler = handler;
  sink->user_data = user_data;
  sink->to_hash = g_async_queue_new ();
  sink->to_write = g_async_queue_new ();
  sink->spare = g_ptr_array_new_with_free_func (g_free);
  sink->most = (guint) MAX (MIN_CHUNKS, memory / CHUNK_SIZE);
  sink->position = sink->prefix = lm_partial_get_size (partial);
  g_mutex_init (&sink->lock);
  g_cond_init (&sink->changed);
  sink->hasher = lm_hasher_new ();
  start_threads (sink);
  return sink;
}

void
lm_fetch_sink_free (LmFetchSink *sink)
{
  if (sink == NULL)
    return;
  g_mutex_lock (&sink->lock);
  sink->starved = FALSE;
  g_mutex_unlock (&sink->lock);
  g_atomic_int_set (&sink->quitting, TRUE);
  push_command (sink, OP_QUIT);
  g_clear_pointer (&sink->hash_thread, g_thread_join);
  g_clear_pointer (&sink->write_thread, g_thread_join);
  lm_hasher_free (sink->hasher);
  g_async_queue_unref (sink->to_hash);
  g_async_queue_unref (sink->to_write);
  g_ptr_array_unref (sink->spare);
  g_clear_error (&sink->error);
  g_clear_error (&sink->result);
  g_mutex_clear (&sink->lock);
  g_cond_clear (&sink->changed);
  g_free (sink);
}

/* Returns the number of bytes that can be accepted now. */
static gsize
get_free_room (LmFetchSink *sink)
{
  gsize chunks = sink->spare->len + (sink->most - sink->made);
  return chunks * CHUNK_SIZE + (sink->current ? CHUNK_SIZE - sink->current->used : 0);
}

static Chunk *
acquire_chunk (LmFetchSink *sink)
{
  g_mutex_lock (&sink->lock);
  Chunk *chunk = NULL;
  if (sink->spare->len > 0)
    chunk = g_ptr_array_steal_index_fast (sink->spare, sink->spare->len - 1);
  else
    sink->made++;
  g_mutex_unlock (&sink->lock);
  if (chunk == NULL)
    chunk = g_malloc (sizeof (Chunk) + CHUNK_SIZE);
  chunk->op = OP_DATA;
  chunk->used = 0;
  return chunk;
}

gboolean
lm_fetch_sink_write (LmFetchSink *sink, const void *data, gsize size)
{
  g_mutex_lock (&sink->lock);
  gboolean fits = size <= get_free_room (sink);
  sink->starved |= !fits;
  g_mutex_unlock (&sink->lock);
  if (!fits)
    return FALSE;
  const guint8 *from = data;
  sink->position += size;
  while (size > 0)
    {
      if (sink->current == NULL)
        sink->current = acquire_chunk (sink);
      gsize n = MIN (size, CHUNK_SIZE - sink->current->used);
      memcpy (sink->current->data + sink->current->used, from, n);
      sink->current->used += n;
      from += n;
      size -= n;
      if (sink->current->used == CHUNK_SIZE)
        lm_fetch_sink_flush (sink);
    }
  return TRUE;
}

void
lm_fetch_sink_flush (LmFetchSink *sink)
{
  if (sink->current != NULL)
    push_chunk (sink, g_steal_pointer (&sink->current));
}

guint64
lm_fetch_sink_get_position (LmFetchSink *sink)
{
  return sink->position;
}

gboolean
lm_fetch_sink_has_room (LmFetchSink *sink)
{
  g_mutex_lock (&sink->lock);
  gboolean has = !sink->starved;
  g_mutex_unlock (&sink->lock);
  return has;
}

void
lm_fetch_sink_reset (LmFetchSink *sink)
{
  push_command (sink, OP_RESET);
  sink->position = 0;
}

void
lm_fetch_sink_finish (LmFetchSink *sink)
{
  push_command (sink, OP_FINISH);
}

gboolean
lm_fetch_sink_poll (LmFetchSink *sink, GError **error)
{
  g_mutex_lock (&sink->lock);
  gboolean complete = sink->complete;
  GError *result = g_steal_pointer (&sink->result);
  sink->complete = FALSE;
  g_mutex_unlock (&sink->lock);
  if (result != NULL)
    g_propagate_error (error, result);
  return complete;
}

gboolean
lm_fetch_sink_check (LmFetchSink *sink, GError **error)
{
  g_mutex_lock (&sink->lock);
  GError *failure = sink->error ? g_error_copy (sink->error) : NULL;
  g_mutex_unlock (&sink->lock);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

gboolean
lm_fetch_sink_wait_synced (LmFetchSink *sink, GError **error)
{
  return wait_counter (sink, &sink->syncs, error);
}
