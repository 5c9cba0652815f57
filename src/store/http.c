/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store for http:// and https:// URLs. */
#include "config.h"
#include "base/url.h"
#include "store/store.h"

typedef struct
{
  LmStoreTransfer base;
  LmHttpTransfer *transfer;
  char *shown_url;
  guint64 size;
} HttpTransfer;

static const char *const schemes[] = { "http", "https", NULL };

static void
http_free (HttpTransfer *self)
{
  g_free (self->shown_url);
  g_free (self);
}

static gboolean
on_http_response (gpointer user_data, const LmHttpResponse *response, GError **error)
{
  HttpTransfer *self = user_data;
  if (response->has_total && response->total < self->size)
    {
      g_autofree char *hint = lm_http_response_describe (response);
      g_propagate_error (error, lm_http_error_new (LM_HTTP_ERROR_TOO_SMALL, 0,
                                                   "%s: the server announces %" G_GUINT64_FORMAT " bytes, but the file has %" G_GUINT64_FORMAT "%s",
                                                   self->shown_url, response->total, self->size, hint));
      return FALSE;
    }
  LmStoreReply reply = { .offset = response->offset, .encoding = response->encoding };
  return self->base.handler->begin (self->base.user_data, &reply, error);
}

static gboolean
on_http_data (gpointer user_data, const void *data, gsize size)
{
  HttpTransfer *self = user_data;
  return self->base.handler->data (self->base.user_data, data, size);
}

static void
on_http_done (gpointer user_data, const GError *error)
{
  HttpTransfer *self = user_data;
  const LmStoreHandler *handler = self->base.handler;
  gpointer handler_data = self->base.user_data;
  http_free (self);
  handler->done (handler_data, error);
}

static const LmHttpHandler http_handler = { on_http_response, on_http_data, on_http_done };

static LmStoreTransfer *
http_start (LmStore *store, const LmStoreRequest *request, GError **error)
{
  HttpTransfer *self = g_new0 (HttpTransfer, 1);
  self->shown_url = lm_url_redact (request->url);
  self->size = request->size;
  /* No If-Range: the digest decides whether the bytes are right, and several
   * servers with the same name may have different ETags for a file. */
  LmHttpRequest http_request = {
    .url = request->url,
    .offset = request->offset,
    .max_size = request->size,
    .digest_known = TRUE,
  };
  self->transfer = lm_http_start (lm_store_get_http (store), &http_request, &http_handler, self, error);
  if (self->transfer != NULL)
    return &self->base;
  http_free (self);
  return NULL;
}

static void
http_resume (LmStoreTransfer *transfer)
{
  lm_http_transfer_resume (((HttpTransfer *) transfer)->transfer);
}

static void
http_close (LmStoreTransfer *transfer)
{
  HttpTransfer *self = (HttpTransfer *) transfer;
  lm_http_transfer_cancel (self->transfer);
  http_free (self);
}

static LmStoreObject *
http_read (const LmStoreRead *request, guint seconds, GCancellable *cancellable, GError **error)
{
  LmHttpOptions options = { .total_seconds = seconds };
  g_autoptr (LmHttpDocument) document
    = lm_http_get (request->url, request->validator, request->max_size, &options, cancellable, error);
  if (document == NULL)
    return NULL;
  LmStoreObject *object = g_new0 (LmStoreObject, 1);
  object->body = g_steal_pointer (&document->body);
  object->validator = g_steal_pointer (&document->etag);
  object->url = g_steal_pointer (&document->url);
  return object;
}

const LmStoreClass lm_store_http_class = {
  .schemes = schemes,
  .start = http_start,
  .resume = http_resume,
  .close = http_close,
  .read = http_read,
};
