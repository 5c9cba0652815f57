/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/download.h"
#include "base/error.h"
#include "base/testenv.h"
#include "base/trace.h"
#include "base/url.h"

#include <string.h>

#define POLL_MS 50
/* The largest disk that is accepted cannot have a larger file. */
#define SIZE_MAX_BYTES (G_GUINT64_CONSTANT (64) << 40)
/* So many bytes that were not there before show that it goes on, so that earlier failures do not count. */
#define PROGRESS_BYTES (1024 * 1024)

typedef struct
{
  const LmDownload *download;
  LmCache *cache;
  GCancellable *cancellable;
  char *shown;
  /* what the server said about the file at first */
  char *etag;
  gboolean has_total;
  guint64 total;
  LmPartial *partial; /* NULL while that is being asked */
  gboolean resumed;
  /* of the present request */
  gboolean answered, finished;
  GError *failure; /* of the transfer */
  GError *local;   /* of this host: not to be retried */
} Download;

static void
download_clear (Download *self)
{
  g_free (self->shown);
  g_free (self->etag);
  lm_partial_close (self->partial);
  g_clear_error (&self->failure);
  g_clear_error (&self->local);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Download, download_clear)

/* Of the first request only the answer is of interest. */
static gboolean
note_answer (Download *self, const LmHttpResponse *response)
{
  g_free (self->etag);
  self->etag = response->etag != NULL && !g_str_has_prefix (response->etag, "W/") ? g_strdup (response->etag) : NULL;
  self->has_total = response->has_total;
  self->total = response->total;
  return FALSE;
}

static gboolean
is_same_file (const Download *self, const LmHttpResponse *response)
{
  if (self->has_total && response->has_total && response->total != self->total)
    return FALSE;
  /* Mirrors to which a server redirects have ETags of their own; a checksum decides anyway. */
  return self->download->checksum != NULL || self->etag == NULL || g_strcmp0 (self->etag, response->etag) == 0;
}

static gboolean
on_response (gpointer user_data, const LmHttpResponse *response, GError **error)
{
  Download *self = user_data;
  self->answered = TRUE;
  if (self->partial == NULL)
    {
      g_propagate_error (error, lm_http_error_new (LM_HTTP_ERROR_FAILED, 0, "answered"));
      return note_answer (self, response);
    }
  if (!is_same_file (self, response))
    {
      if (response->offset > 0)
        {
          g_propagate_error (error, lm_http_error_new (LM_HTTP_ERROR_RANGE, 0, "%s: the file has changed on the server", self->shown));
          return FALSE;
        }
      (void) note_answer (self, response);
    }
  /* It may have sent the whole file, or begin before what was requested. */
  if (response->offset < lm_partial_get_size (self->partial) && !lm_partial_cut (self->partial, response->offset, &self->local))
    return lm_throw (error, LM_FETCH_ERROR, LM_FETCH_ERROR_FAILED, "cannot cut");
  self->resumed |= response->offset > 0;
  return TRUE;
}

/* FALSE makes the transfer pause; it is then cancelled. */
static gboolean
on_data (gpointer user_data, const void *data, gsize size)
{
  Download *self = user_data;
  if (self->local != NULL || !lm_partial_append (self->partial, data, size, &self->local))
    return FALSE;
  self->download->progress (self->download->user_data, lm_partial_get_size (self->partial), self->total);
  return TRUE;
}

static void
on_done (gpointer user_data, const GError *error)
{
  Download *self = user_data;
  self->finished = TRUE;
  if (error != NULL)
    self->failure = g_error_copy (error);
}

static const LmHttpHandler handler = { on_response, on_data, on_done };

/* Makes one request from @offset on. FALSE if it failed, with self->failure or self->local. */
static gboolean
request_once (Download *self, guint64 offset)
{
  g_autoptr (LmHttp) http = lm_http_new (NULL);
  const LmHttpRequest request = { .url = self->download->url,
                                  .offset = offset,
                                  .max_size = self->has_total ? self->total : SIZE_MAX_BYTES,
                                  .digest_known = self->download->checksum != NULL };
  g_clear_error (&self->failure);
  self->answered = self->finished = FALSE;
  if (lm_http_start (http, &request, &handler, self, &self->failure) == NULL)
    return FALSE;
  while (!self->finished && self->local == NULL && !g_cancellable_is_cancelled (self->cancellable))
    lm_http_iterate (http, POLL_MS);
  if (self->local == NULL)
    (void) g_cancellable_set_error_if_cancelled (self->cancellable, &self->local);
  if (self->partial == NULL && self->answered && self->local == NULL)
    g_clear_error (&self->failure);
  return self->local == NULL && self->failure == NULL;
}

static gboolean
wait_for_retry (Download *self, guint failures, GError **error)
{
  guint delay = lm_testenv_get (LM_TESTENV_NO_DELAY) ? 0 : lm_retry_delay (&self->download->retry, failures, self->failure, g_random_int ());
  lm_trace (LM_TRACE_HTTP, "%s; retrying in %u ms", self->failure->message, delay);
  return lm_retry_wait (delay, self->cancellable, error);
}

static gboolean
throw_local (Download *self, GError **error)
{
  return lm_fetch_error_translate (g_steal_pointer (&self->local), error);
}

/* Asks, or transfers from what is there, until it succeeds or may not be retried. */
static gboolean
request_until_done (Download *self, GError **error)
{
  guint64 furthest = self->partial != NULL ? lm_partial_get_size (self->partial) : 0;
  for (guint failures = 0;;)
    {
      guint64 offset = self->partial != NULL ? lm_partial_get_size (self->partial) : 0;
      if (request_once (self, offset))
        return TRUE;
      if (self->local != NULL)
        return throw_local (self, error);
      guint64 size = self->partial != NULL ? lm_partial_get_size (self->partial) : 0;
      failures = size >= furthest + PROGRESS_BYTES ? 1 : failures + 1;
      furthest = MAX (furthest, size);
      gboolean range = g_error_matches (self->failure, LM_HTTP_ERROR, LM_HTTP_ERROR_RANGE) && offset > 0;
      /* Without a way to tell that the rest is of the same file, begin again. */
      if (self->partial != NULL && (range || (self->etag == NULL && self->download->checksum == NULL))
          && !lm_partial_cut (self->partial, 0, &self->local))
        return throw_local (self, error);
      if (!range && !lm_retry_is_allowed (&self->download->retry, failures, self->failure))
        return lm_fetch_error_translate (g_steal_pointer (&self->failure), error);
      if (!wait_for_retry (self, failures, error))
        return FALSE;
    }
}

/* Text that stands for the very bytes that the server has now, as far as can be known. */
static char *
describe_file (const Download *self)
{
  if (self->download->checksum != NULL)
    return g_strdup_printf ("download\n%s\n%" G_GUINT64_FORMAT, self->download->checksum, self->total);
  return g_strdup_printf ("download\n%s\n%s\n%" G_GUINT64_FORMAT, self->download->url, self->etag != NULL ? self->etag : "", self->total);
}

static gboolean
open_file (Download *self, gboolean *out_waited, GError **error)
{
  g_autofree char *what = describe_file (self);
  g_autoptr (GError) failure = NULL;
  const LmDigest name = lm_scratch_name (what);
  if (self->has_total && !self->download->make_room (self->download->user_data, &name, self->total, error))
    return FALSE;
  self->partial = lm_scratch_open (self->cache, what, self->download->on_wait, self->download->user_data, out_waited, self->cancellable,
                                   &failure);
  if (self->partial == NULL)
    return lm_fetch_error_translate (g_steal_pointer (&failure), error);
  guint64 size = lm_partial_get_size (self->partial);
  gboolean known = self->has_total && (self->etag != NULL || self->download->checksum != NULL) && size <= self->total;
  if (!known && size > 0 && !lm_partial_cut (self->partial, 0, &failure))
    return lm_fetch_error_translate (g_steal_pointer (&failure), error);
  self->resumed = known && size > 0;
  return TRUE;
}

gboolean
lm_download_ask (const char *url, gboolean *out_has_size, guint64 *out_size, GCancellable *cancellable, GError **error)
{
  /* Where it is transferred from does not matter if the digest is known, whatever that is. */
  const LmDownload download = { .url = url, .checksum = "" };
  g_auto (Download) self = { .download = &download, .cancellable = cancellable };
  self.shown = lm_url_redact (url);
  if (!request_until_done (&self, error))
    return FALSE;
  *out_has_size = self.has_total;
  *out_size = self.total;
  return TRUE;
}

LmPartial *
lm_download_run (LmCache *cache, const LmDownload *download, gboolean *out_resumed, gboolean *out_waited, GCancellable *cancellable,
                 GError **error)
{
  g_auto (Download) self = { .download = download, .cache = cache, .cancellable = cancellable };
  self.shown = lm_url_redact (download->url);
  if (!request_until_done (&self, error) || !open_file (&self, out_waited, error))
    return NULL;
  if (*out_waited)
    return g_steal_pointer (&self.partial);
  if ((!self.has_total || lm_partial_get_size (self.partial) < self.total) && !request_until_done (&self, error))
    return NULL;
  if (self.has_total && lm_partial_get_size (self.partial) != self.total)
    return lm_throw_null (error, LM_FETCH_ERROR, LM_FETCH_ERROR_SOURCE,
                          "%s: the server sent %" G_GUINT64_FORMAT " bytes instead of %" G_GUINT64_FORMAT, self.shown,
                          lm_partial_get_size (self.partial), self.total);
  *out_resumed = self.resumed;
  return g_steal_pointer (&self.partial);
}
