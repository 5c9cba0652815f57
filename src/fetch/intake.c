/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/intake.h"
#include "base/error.h"
#include "fetch/check.h"
#include "fetch/publisher.h"
#include "fetch/sink.h"
#include "image/error.h"

#include <string.h>
#include <unistd.h>

#define MEMORY (8 * 1024 * 1024)
#define COMPARE_SIZE (256 * 1024)
#define POLL_MS 100
#define BUSY_SECONDS 600

struct _LmIntake
{
  LmCache *cache;
  const LmBlob *blob;
  GCancellable *cancellable;
  LmPartial *partial;
  guint64 kept;      /* bytes of an earlier run that are not known to be wrong */
  guint64 position;  /* bytes that were the same as those */
  LmFetchSink *sink; /* NULL while there are such bytes */
  guint64 virtual_size; /* set by complete() */
  GMutex lock;
  GCond changed;
  gboolean woken; /* under lock */
};

static void
wake_intake (gpointer user_data)
{
  LmIntake *intake = user_data;
  g_mutex_lock (&intake->lock);
  intake->woken = TRUE;
  g_cond_signal (&intake->changed);
  g_mutex_unlock (&intake->lock);
}

/* Waits for wake_intake(), or for a moment, so that a cancellation is noticed. */
static gboolean
wait_to_be_woken (LmIntake *intake, GError **error)
{
  gint64 end = g_get_monotonic_time () + POLL_MS * 1000;
  g_mutex_lock (&intake->lock);
  while (!intake->woken && g_cond_wait_until (&intake->changed, &intake->lock, end))
    ;
  intake->woken = FALSE;
  g_mutex_unlock (&intake->lock);
  return !g_cancellable_set_error_if_cancelled (intake->cancellable, error);
}

static gboolean
complete_file (LmFetchSink *sink, const LmDigest *got, gpointer user_data, GError **error)
{
  LmIntake *intake = user_data;
  return lm_fetch_check (intake->blob, lm_partial_get_path (intake->partial), got, "", &intake->virtual_size,
                         intake->cancellable, error)
         && lm_fetch_sink_wait_synced (sink, error);
}

static const LmFetchSinkHandler sink_handler = { complete_file, wake_intake };

/* Translates and prefixes @cause, of which it takes ownership. Returns FALSE. */
static gboolean
fail_intake (const LmBlob *blob, GError *cause, GError **error)
{
  (void) lm_fetch_error_translate (cause, error);
  g_prefix_error (error, "%s %s: ", blob->kind == LM_BLOB_LAYER ? "layer" : "file", blob->name);
  return FALSE;
}

static gboolean
check_parent (LmCache *cache, const LmBlob *blob, GCancellable *cancellable, GError **error)
{
  if (!blob->has_parent)
    return TRUE;
  const LmBlob parent = { .kind = LM_BLOB_LAYER, .digest = blob->parent };
  char text[LM_DIGEST_STRING_SIZE];
  LmCacheState state;
  if (!lm_cache_check (cache, &parent, &state, cancellable, error))
    return FALSE;
  return state == LM_CACHE_PRESENT
         || lm_throw (error, LM_FETCH_ERROR, LM_FETCH_ERROR_REFUSED, "its parent %s is not in the cache",
                      lm_digest_format (&parent.digest, text));
}

/* Gets the lock, or NULL in *out_partial if another process has published the file. */
static gboolean
wait_for_lock (LmCache *cache, const LmBlob *blob, LmPartial **out_partial, GCancellable *cancellable, GError **error)
{
  guint64 last_size = 0;
  gint64 since = g_get_monotonic_time ();
  for (;;)
    {
      LmCacheState state;
      g_autoptr (GError) failure = NULL;
      *out_partial = NULL;
      if (!lm_cache_check (cache, blob, &state, cancellable, error))
        return FALSE;
      if (state == LM_CACHE_PRESENT)
        return TRUE;
      *out_partial = lm_partial_open (cache, &blob->digest, &failure);
      if (*out_partial != NULL)
        return TRUE;
      if (!g_error_matches (failure, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      guint64 size, held;
      gint64 now = g_get_monotonic_time ();
      lm_partial_stat (cache, &blob->digest, &size, &held);
      if (size != last_size)
        since = now;
      last_size = size;
      if (now - since > (gint64) BUSY_SECONDS * G_USEC_PER_SEC)
        return lm_throw (error, LM_FETCH_ERROR, LM_FETCH_ERROR_BUSY,
                         "another process is transferring it but has made no progress for %d s", BUSY_SECONDS);
      g_usleep (POLL_MS * 1000);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
    }
}

static gboolean
cut_kept (LmIntake *intake, guint64 size, GError **error)
{
  intake->kept = size;
  return lm_partial_cut (intake->partial, size, error);
}

gboolean
lm_intake_open (LmCache *cache, const LmBlob *blob, LmIntake **out_intake, GCancellable *cancellable, GError **error)
{
  GError *failure = NULL;
  LmPartial *partial;
  if (!check_parent (cache, blob, cancellable, &failure)
      || !wait_for_lock (cache, blob, &partial, cancellable, &failure))
    return fail_intake (blob, failure, error);
  g_autoptr (LmIntake) intake = g_new0 (LmIntake, 1);
  intake->cache = cache;
  intake->blob = blob;
  intake->cancellable = cancellable;
  intake->partial = partial;
  g_mutex_init (&intake->lock);
  g_cond_init (&intake->changed);
  /* It may have been published before the lock was acquired. */
  LmCacheState state = LM_CACHE_PRESENT;
  if (partial != NULL && !lm_cache_check (cache, blob, &state, cancellable, &failure))
    return fail_intake (blob, failure, error);
  if (state != LM_CACHE_PRESENT)
    {
      intake->kept = lm_partial_get_size (partial);
      if (intake->kept > blob->size && !cut_kept (intake, 0, &failure))
        return fail_intake (blob, failure, error);
    }
  *out_intake = state == LM_CACHE_PRESENT ? NULL : g_steal_pointer (&intake);
  return TRUE;
}

void
lm_intake_free (LmIntake *intake)
{
  if (intake == NULL)
    return;
  lm_fetch_sink_free (intake->sink);
  lm_partial_close (intake->partial);
  g_mutex_clear (&intake->lock);
  g_cond_clear (&intake->changed);
  g_free (intake);
}

static gsize
count_equal_bytes (const guint8 *one, const guint8 *other, gsize size)
{
  if (memcmp (one, other, size) == 0)
    return size;
  gsize n = 0;
  while (one[n] == other[n])
    n++;
  return n;
}

/* Compares the beginning of @data with what an earlier run left, of which nothing is
 * kept from the first difference on. *out_used is how much of it is there already. */
static gboolean
compare_with_kept (LmIntake *intake, const guint8 *data, gsize size, gsize *out_used, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (COMPARE_SIZE);
  gsize used = 0;
  while (used < size && intake->position < intake->kept)
    {
      gsize n = (gsize) MIN (MIN (COMPARE_SIZE, size - used), intake->kept - intake->position);
      ssize_t got = pread (lm_partial_get_fd (intake->partial), buffer, n, (off_t) intake->position);
      gsize same = got > 0 ? count_equal_bytes (buffer, data + used, (gsize) got) : 0;
      used += same;
      intake->position += same;
      if ((got <= 0 || same < (gsize) got) && !cut_kept (intake, intake->position, error))
        return FALSE;
    }
  *out_used = used;
  return TRUE;
}

/* To be called when nothing of an earlier run is left to compare. */
static void
begin_sink (LmIntake *intake)
{
  if (intake->sink == NULL)
    intake->sink = lm_fetch_sink_new (intake->partial, intake->blob->size, MEMORY, &sink_handler, intake);
}

static gboolean
write_to_sink (LmIntake *intake, const guint8 *data, gsize size, GError **error)
{
  while (size > 0)
    {
      /* The ring accepts all of a piece or nothing. */
      gsize n = MIN (size, COMPARE_SIZE);
      if (!lm_fetch_sink_check (intake->sink, error))
        return FALSE;
      if (lm_fetch_sink_write (intake->sink, data, n))
        {
          data += n;
          size -= n;
        }
      else if (!wait_to_be_woken (intake, error))
        return FALSE;
    }
  return !g_cancellable_set_error_if_cancelled (intake->cancellable, error);
}

gboolean
lm_intake_write (LmIntake *intake, const void *data, gsize size, GError **error)
{
  GError *failure = NULL;
  gsize used = 0;
  if (intake->sink == NULL && !compare_with_kept (intake, data, size, &used, &failure))
    return fail_intake (intake->blob, failure, error);
  if (used == size)
    return TRUE;
  begin_sink (intake);
  if (!write_to_sink (intake, (const guint8 *) data + used, size - used, &failure))
    return fail_intake (intake->blob, failure, error);
  return TRUE;
}

static gboolean
check_file (LmIntake *intake, GError **error)
{
  g_autoptr (GError) failure = NULL;
  begin_sink (intake);
  lm_fetch_sink_finish (intake->sink);
  while (!lm_fetch_sink_poll (intake->sink, &failure))
    if (!wait_to_be_woken (intake, error))
      return FALSE;
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  g_clear_pointer (&intake->sink, lm_fetch_sink_free);
  return TRUE;
}

static gboolean
publish_file (LmIntake *intake, GError **error)
{
  const LmPublisherTask task = {
    .blob = intake->blob, .virtual_size = intake->virtual_size, .cache = intake->cache, .partial = intake->partial,
    .cancellable = intake->cancellable, .wake = wake_intake, .user_data = intake,
  };
  LmPublisher *publisher = lm_publisher_start (&task);
  g_autoptr (GError) failure = NULL;
  while (!lm_publisher_poll (publisher, &failure))
    (void) wait_to_be_woken (intake, NULL); /* a cancellation ends the publisher */
  lm_publisher_free (publisher);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
lm_intake_finish (LmIntake *intake, GError **error)
{
  GError *failure = NULL;
  if (check_file (intake, &failure) && publish_file (intake, &failure))
    return TRUE;
  if (g_error_matches (failure, LM_FETCH_ERROR, LM_FETCH_ERROR_DIGEST)
      || g_error_matches (failure, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED))
    {
      g_clear_pointer (&intake->sink, lm_fetch_sink_free);
      lm_partial_discard (g_steal_pointer (&intake->partial));
    }
  return fail_intake (intake->blob, failure, error);
}
