/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/item.h"
#include "base/error.h"
#include "fetch/check.h"
#include "fetch/error.h"
#include "fetch/mirror.h"
#include "fetch/publisher.h"
#include "fetch/sink.h"
#include "image/error.h"
#include "base/content.h"

#include <string.h>

#define POLL_US (100 * 1000)
/* Number of steps of the exponential delay for a server that serves another process; about 4 s at most. */
#define PATIENT_STEPS 4
/* After this progress beyond any earlier position, in bytes or as a part of the
 * file, earlier failures no longer count. */
#define FORGIVING_BYTES (1024 * 1024)
#define FORGIVING_PARTS 16

typedef enum
{
  PHASE_LOCK,
  PHASE_READY,
  PHASE_MOVING,
  PHASE_FINISHING,
  PHASE_PARENT,
  PHASE_PUBLISHING,
  PHASE_DONE,
} Phase;

struct _LmFetchItem
{
  LmFetchRun *run;
  const LmBlob *blob;
  LmFetchItem *parent; /* NULL if it is not in this run */
  Phase phase;
  gboolean has_slot;
  gint64 next_poll;
  guint64 other_size; /* size of the .part file that another process is writing */
  gint64 other_since; /* since when it has had that size; 0 if there is no other process */

  LmPartial *partial;
  LmFetchSink *sink; /* NULL before READY and after FINISHING */
  LmPublisher *publisher;
  LmStoreTransfer *transfer;
  LmServer *server; /* of the transfer */
  gboolean serves;       /* it has sent data in this transfer */
  gboolean served_other; /* it was sending to another process when the transfer began */
  guint refusals;        /* consecutive ones that are attributed to that */
  gint64 refused_since;  /* time of the first of them; 0 if none */
  guint64 skip; /* number of bytes to skip because the .part file contains them */
  LmHttpResponse seen; /* encoding and head of the last response that began with the first byte */
  char *encoding;
  guint8 head[LM_CONTENT_HEAD];
  gboolean paused;

  guint64 virtual_size; /* of the image; set by the sink's complete() */

  LmMirrors *mirrors;
  guint64 furthest;     /* the position at which earlier failures last stopped counting */
  gboolean mixed;       /* the data comes from more than one response */
  guint failures;       /* total number */
  GError *source_error; /* the last one */
  GError *digest_error; /* the first one; takes precedence */
};

static gboolean sink_complete (LmFetchSink *sink, const LmDigest *got, gpointer user_data, GError **error);

static void
sink_wake (gpointer user_data)
{
  LmFetchItem *self = user_data;
  lm_store_wakeup (self->run->store);
}

static const LmFetchSinkHandler sink_handler = { sink_complete, sink_wake };

LmFetchItem *
lm_fetch_item_new (LmFetchRun *run, const LmBlob *blob)
{
  LmFetchItem *self = g_new0 (LmFetchItem, 1);
  self->run = run;
  self->blob = blob;
  self->mirrors = lm_mirrors_new (blob->urls, run->retry);
  return self;
}

void
lm_fetch_item_set_parent (LmFetchItem *self, LmFetchItem *parent)
{
  self->parent = parent;
}

const LmBlob *
lm_fetch_item_get_blob (const LmFetchItem *self)
{
  return self->blob;
}

static void
release_slot (LmFetchItem *self)
{
  if (self->has_slot)
    self->run->slots++;
  self->has_slot = FALSE;
}

/* Records that the transfer has ended. */
static void
leave_server (LmFetchItem *self)
{
  if (self->serves)
    lm_served_end (self->run->served, lm_server_get_name (self->server));
  self->serves = FALSE;
  lm_server_end (self->server);
}

static void
end_publisher (LmFetchItem *self)
{
  if (self->publisher != NULL)
    self->run->publishers++;
  g_clear_pointer (&self->publisher, lm_publisher_free);
}

/* Ends the transfer and releases the lock and the slot. */
static void
release_item (LmFetchItem *self, gboolean keep_bytes)
{
  end_publisher (self);
  if (self->transfer)
    {
      lm_store_transfer_close (self->transfer);
      leave_server (self);
    }
  self->transfer = NULL;
  g_clear_pointer (&self->sink, lm_fetch_sink_free);
  if (self->partial == NULL)
    return;
  if (keep_bytes)
    lm_partial_close (self->partial);
  else
    lm_partial_discard (self->partial);
  self->partial = NULL;
  release_slot (self);
}

void
lm_fetch_item_free (LmFetchItem *self)
{
  if (self == NULL)
    return;
  release_item (self, TRUE);
  lm_mirrors_free (self->mirrors);
  g_clear_error (&self->source_error);
  g_clear_error (&self->digest_error);
  g_free (self->encoding);
  g_free (self);
}

/* Called in the hashing thread of the sink. */
static gboolean
sink_complete (LmFetchSink *sink, const LmDigest *got, gpointer user_data, GError **error)
{
  LmFetchItem *self = user_data;
  g_autofree char *hint = lm_http_response_describe (&self->seen);
  return lm_fetch_check (self->blob, lm_partial_get_path (self->partial), got, hint, &self->virtual_size,
                         self->run->cancellable, error)
         && lm_fetch_sink_wait_synced (sink, error);
}

static gboolean
fail_item (LmFetchItem *self, GError *cause, gboolean keep_bytes, GError **error)
{
  release_item (self, keep_bytes);
  (void) lm_fetch_error_translate (cause, error);
  g_prefix_error (error, "%s %s: ", self->blob->kind == LM_BLOB_LAYER ? "layer" : "file", self->blob->name);
  return FALSE;
}

static void
finish_item (LmFetchItem *self)
{
  release_item (self, TRUE);
  self->phase = PHASE_DONE;
}

/* Fails because no mirror is left. */
static gboolean
give_up (LmFetchItem *self, GError **error)
{
  GError *cause;
  if (self->digest_error)
    cause = g_steal_pointer (&self->digest_error);
  else if (self->source_error)
    cause = g_steal_pointer (&self->source_error);
  else
    cause = g_error_new (LM_FETCH_ERROR, LM_FETCH_ERROR_SOURCE, "no URL is known for it");
  return fail_item (self, cause, cause->domain != LM_FETCH_ERROR, error);
}

static void
start_over (LmFetchItem *self)
{
  lm_fetch_sink_reset (self->sink);
  self->mixed = FALSE;
}

static gboolean
on_store_begin (gpointer user_data, const LmStoreReply *reply, GError **error)
{
  LmFetchItem *self = user_data;
  guint64 position = lm_fetch_sink_get_position (self->sink);
  /* Existing data is kept, also if the response begins before its end. */
  self->skip = position - reply->offset;
  self->mixed |= position > 0;
  g_free (self->encoding);
  self->encoding = g_strdup (reply->encoding);
  self->seen = (LmHttpResponse){ .encoding = self->encoding, .head = self->head };
  return TRUE;
}

static gboolean
on_store_data (gpointer user_data, const void *data, gsize size)
{
  LmFetchItem *self = user_data;
  gsize skipped = (gsize) MIN (self->skip, size);
  self->paused = skipped < size && !lm_fetch_sink_write (self->sink, (const guint8 *) data + skipped, size - skipped);
  if (self->paused)
    return FALSE;
  if (!self->serves)
    lm_served_begin (self->run->served, lm_server_get_name (self->server));
  self->serves = TRUE;
  self->refusals = 0;
  self->refused_since = 0;
  if (self->seen.head_size == 0 && self->skip == 0 && lm_fetch_sink_get_position (self->sink) == size)
    {
      self->seen.head_size = MIN (size, sizeof self->head);
      memcpy (self->head, data, self->seen.head_size);
    }
  self->skip -= skipped;
  self->run->totals.bytes += size;
  return TRUE;
}

/* This is not a failure of the file: it waits for its turn, but no longer than the
 * server asked for or a retry would. */
static void
wait_for_server (LmFetchItem *self, guint refusals, const GError *error)
{
  guint delay = lm_retry_delay (self->run->retry, refusals, error, g_random_int ());
  if (self->run->no_delay)
    delay = self->refused_since != 0 ? POLL_US / 1000 : 0;
  lm_mirrors_postpone (self->mirrors, g_get_monotonic_time () + (gint64) delay * 1000);
}

static void
handle_failed_attempt (LmFetchItem *self, const GError *error)
{
  guint64 position = lm_fetch_sink_get_position (self->sink);
  if (position > self->furthest && position - self->furthest >= MIN (FORGIVING_BYTES, self->blob->size / FORGIVING_PARTS))
    {
      self->furthest = position;
      lm_mirrors_progressed (self->mirrors);
    }
  self->failures++;
  g_clear_error (&self->source_error);
  self->source_error = g_error_copy (error);
  gboolean bad_range = g_error_matches (error, LM_HTTP_ERROR, LM_HTTP_ERROR_RANGE);
  if (bad_range)
    start_over (self);
  lm_mirrors_failed (self->mirrors, error, g_get_monotonic_time (), bad_range || self->run->no_delay, g_random_int ());
}

/* Whether the server may have refused this process because it serves another one.
 * It is asked again as long as it does, but no longer than the time for which a
 * file that another process transfers is waited for: a server that always refuses
 * serves nobody. */
static gboolean
is_served_to_others (LmFetchItem *self)
{
  gint64 now = g_get_monotonic_time ();
  if (!self->served_other && !lm_served_has_other (self->run->served, lm_server_get_name (self->server)))
    return FALSE;
  if (self->refused_since == 0)
    self->refused_since = now;
  return now - self->refused_since < (gint64) self->run->busy_seconds * G_USEC_PER_SEC;
}

/* Whether a refusal is not a failure of the file. In that case the file is postponed. */
static gboolean
handle_refusal (LmFetchItem *self, const GError *error)
{
  if (!g_error_matches (error, LM_HTTP_ERROR, LM_HTTP_ERROR_BUSY))
    return FALSE;
  if (lm_server_refused (self->server))
    wait_for_server (self, 1, error);
  else if (is_served_to_others (self))
    {
      wait_for_server (self, MIN (++self->refusals, PATIENT_STEPS), error);
      /* Failures between two files of the other process no longer count. */
      lm_mirrors_progressed (self->mirrors);
    }
  else
    return FALSE;
  return TRUE;
}

static void
on_store_done (gpointer user_data, const GError *error)
{
  LmFetchItem *self = user_data;
  self->transfer = NULL;
  self->paused = FALSE;
  self->phase = PHASE_READY;
  gboolean refused = handle_refusal (self, error);
  leave_server (self);
  if (refused)
    return;
  lm_fetch_sink_flush (self->sink);
  guint64 position = lm_fetch_sink_get_position (self->sink);
  if (error != NULL)
    handle_failed_attempt (self, error);
  else if (position < self->blob->size)
    {
      g_autofree char *hint = lm_http_response_describe (&self->seen);
      g_autoptr (GError) cut = lm_http_error_new (LM_HTTP_ERROR_SHORT, 0,
                                                  "%s: the body ended after %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes%s",
                                                  lm_mirrors_get_shown (self->mirrors), position, self->blob->size, hint);
      handle_failed_attempt (self, cut);
    }
}

static const LmStoreHandler store_handler = { on_store_begin, on_store_data, on_store_done };

static gboolean
begin_transfer (LmFetchItem *self, gint64 now, GError **error)
{
  gint64 due;
  if (!lm_mirrors_choose (self->mirrors, &due))
    return give_up (self, error);
  if (due > now)
    return TRUE;
  const char *url = lm_mirrors_get_url (self->mirrors);
  self->server = lm_servers_get (self->run->servers, url);
  if (!lm_server_has_room (self->server))
    return TRUE;
  LmStoreRequest request = { .url = url, .size = self->blob->size, .offset = lm_fetch_sink_get_position (self->sink) };
  g_autoptr (GError) failure = NULL;
  self->transfer = lm_store_start (self->run->store, &request, &store_handler, self, &failure);
  if (self->transfer == NULL)
    handle_failed_attempt (self, failure);
  else
    {
      lm_server_begin (self->server);
      self->served_other = lm_served_has_other (self->run->served, lm_server_get_name (self->server));
      self->phase = PHASE_MOVING;
    }
  return TRUE;
}

/* To be called with the lock held: continues after the existing data. */
static gboolean
begin_writing (LmFetchItem *self, GError **error)
{
  GError *failure = NULL;
  guint64 have = lm_partial_get_size (self->partial);
  if (have > self->blob->size && !lm_partial_truncate (self->partial, &failure))
    return fail_item (self, failure, TRUE, error);
  self->sink = lm_fetch_sink_new (self->partial, self->blob->size, self->run->memory, &sink_handler, self);
  self->furthest = lm_fetch_sink_get_position (self->sink);
  self->mixed = self->furthest > 0;
  self->phase = PHASE_READY;
  return TRUE;
}

/* Whether the size of the parent's disk can be looked up now, if it has a parent. */
static gboolean
is_parent_there (const LmFetchItem *self)
{
  return self->parent == NULL || self->parent->phase == PHASE_DONE;
}

/* Another process holds the lock: checks that it makes progress. It makes none
 * while it waits for the parent, as this process does too. */
static gboolean
poll_other_process (LmFetchItem *self, gint64 now, GError **error)
{
  guint64 size, held;
  lm_partial_stat (self->run->cache, &self->blob->digest, &size, &held);
  if (self->other_since == 0 || size != self->other_size || !is_parent_there (self))
    {
      self->other_size = size;
      self->other_since = now;
    }
  guint limit = self->run->busy_seconds;
  if (now - self->other_since < (gint64) limit * G_USEC_PER_SEC)
    return TRUE;
  return fail_item (self, g_error_new (LM_FETCH_ERROR, LM_FETCH_ERROR_BUSY,
                                       "another process is transferring it but has made no progress for %u s", limit),
                    TRUE, error);
}

static gboolean
step_lock (LmFetchItem *self, gint64 now, GError **error)
{
  if (self->next_poll > now || self->run->slots == 0)
    return TRUE;
  self->next_poll = now + POLL_US;
  LmCache *cache = self->run->cache;
  const LmBlob *blob = self->blob;
  LmCacheState state;
  GError *failure = NULL;
  if (!lm_cache_check (cache, blob, &state, self->run->cancellable, &failure))
    return fail_item (self, failure, TRUE, error);
  if (state != LM_CACHE_PRESENT)
    {
      self->partial = lm_partial_open (cache, &blob->digest, &failure);
      if (self->partial == NULL)
        {
          if (!g_error_matches (failure, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY))
            return fail_item (self, failure, TRUE, error);
          g_error_free (failure);
          return poll_other_process (self, now, error);
        }
      self->run->slots--;
      self->has_slot = TRUE;
      self->other_since = 0;
    }
  /* Check again: it may have been published before the lock was acquired. */
  if (!lm_cache_check (cache, blob, &state, self->run->cancellable, &failure))
    return fail_item (self, failure, TRUE, error);
  if (state != LM_CACHE_PRESENT)
    return begin_writing (self, error);
  finish_item (self);
  return TRUE;
}

/* Handles a failure of complete(). */
static gboolean
handle_failed_check (LmFetchItem *self, GError *failure, GError **error)
{
  if (!g_error_matches (failure, LM_FETCH_ERROR, LM_FETCH_ERROR_DIGEST))
    {
      gboolean refused = g_error_matches (failure, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
      if (refused && lm_mirrors_get_url (self->mirrors) != NULL)
        g_prefix_error (&failure, "%s: ", lm_mirrors_get_shown (self->mirrors));
      return fail_item (self, failure, !refused, error);
    }
  gboolean mixed = self->mixed;
  start_over (self);
  self->phase = PHASE_READY;
  self->failures++;
  if (lm_mirrors_get_url (self->mirrors) == NULL)
    {
      /* The data was left by an earlier run, and no URL has been used yet. Of an empty
       * file nothing would ever be missing. */
      g_error_free (failure);
      return self->blob->size > 0
             || fail_item (self, g_error_new (LM_FETCH_ERROR, LM_FETCH_ERROR_SOURCE, "its size is not known"), TRUE, error);
    }
  g_prefix_error (&failure, "%s: ", lm_mirrors_get_shown (self->mirrors));
  lm_mirrors_mismatched (self->mirrors, mixed);
  if (self->digest_error == NULL)
    self->digest_error = failure;
  else
    g_error_free (failure);
  return TRUE;
}

static gboolean
step_finishing (LmFetchItem *self, GError **error)
{
  GError *failure = NULL;
  if (!lm_fetch_sink_poll (self->sink, &failure))
    return TRUE;
  if (failure != NULL)
    return handle_failed_check (self, failure, error);
  /* The transfer of the parent may need the slot, and there may be many that wait for
   * it: they keep no threads, buffers or descriptors. */
  g_clear_pointer (&self->sink, lm_fetch_sink_free);
  lm_partial_set_aside (self->partial);
  release_slot (self);
  self->phase = PHASE_PARENT;
  return TRUE;
}

static void
step_parent (LmFetchItem *self)
{
  if (!is_parent_there (self) || self->run->publishers == 0)
    return;
  const LmPublisherTask task = {
    .blob = self->blob, .virtual_size = self->virtual_size, .cache = self->run->cache, .partial = self->partial,
    .cancellable = self->run->cancellable, .wake = sink_wake, .user_data = self,
  };
  self->run->publishers--;
  self->publisher = lm_publisher_start (&task);
  self->phase = PHASE_PUBLISHING;
}

static gboolean
step_publishing (LmFetchItem *self, GError **error)
{
  GError *failure = NULL;
  if (!lm_publisher_poll (self->publisher, &failure))
    return TRUE;
  if (failure != NULL)
    return handle_failed_check (self, failure, error);
  self->run->totals.files++;
  finish_item (self);
  return TRUE;
}

static gboolean
step_ready (LmFetchItem *self, gint64 now, GError **error)
{
  if (lm_fetch_sink_get_position (self->sink) < self->blob->size)
    return begin_transfer (self, now, error);
  /* All data has arrived. */
  lm_fetch_sink_finish (self->sink);
  self->phase = PHASE_FINISHING;
  return TRUE;
}

static void
step_moving (LmFetchItem *self, gint64 now)
{
  if (self->paused && lm_fetch_sink_has_room (self->sink))
    {
      self->paused = FALSE;
      lm_store_transfer_resume (self->transfer);
    }
  /* On a slow link, let others see progress, and limit what a crash can lose. */
  if (self->next_poll <= now)
    {
      lm_fetch_sink_flush (self->sink);
      self->next_poll = now + POLL_US;
    }
}

gboolean
lm_fetch_item_step (LmFetchItem *self, gint64 now, GError **error)
{
  GError *failure = NULL;
  if (self->phase == PHASE_LOCK && !step_lock (self, now, error))
    return FALSE;
  if ((self->phase == PHASE_READY || self->phase == PHASE_MOVING) && !lm_fetch_sink_check (self->sink, &failure))
    return fail_item (self, failure, TRUE, error);
  if (self->phase == PHASE_FINISHING && !step_finishing (self, error))
    return FALSE;
  if (self->phase == PHASE_PARENT)
    step_parent (self);
  if (self->phase == PHASE_PUBLISHING && !step_publishing (self, error))
    return FALSE;
  if (self->phase == PHASE_MOVING)
    step_moving (self, now);
  return self->phase != PHASE_READY || step_ready (self, now, error);
}

gboolean
lm_fetch_item_is_done (LmFetchItem *self)
{
  return self->phase == PHASE_DONE;
}

void
lm_fetch_item_get_progress (LmFetchItem *self, LmFetchItemProgress *out)
{
  static const LmFetchState states[] = {
    [PHASE_LOCK] = LM_FETCH_WAITING,       [PHASE_READY] = LM_FETCH_WAITING,         [PHASE_MOVING] = LM_FETCH_TRANSFERRING,
    [PHASE_FINISHING] = LM_FETCH_VERIFYING, [PHASE_PARENT] = LM_FETCH_VERIFYING,
    [PHASE_PUBLISHING] = LM_FETCH_VERIFYING, [PHASE_DONE] = LM_FETCH_DONE,
  };
  out->blob = self->blob;
  out->state = states[self->phase];
  out->other_process = self->phase == PHASE_LOCK && self->other_since != 0;
  out->server_busy = self->phase == PHASE_READY && self->refused_since != 0;
  out->failures = self->failures;
  out->url = lm_mirrors_get_shown (self->mirrors);
  if (self->phase >= PHASE_PARENT)
    out->done = self->blob->size;
  else if (self->sink)
    out->done = lm_fetch_sink_get_position (self->sink);
  else
    out->done = MIN (self->other_size, self->blob->size);
}
