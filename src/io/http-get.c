/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/http.h"

#include <string.h>

#define POLL_MS 50
/* Stricter than for a layer, because somebody is waiting for a small document. */
#define STALL_SECONDS 20
#define STALL_BYTES 2048
#define TOTAL_SECONDS 180

typedef struct
{
  GByteArray *body;
  LmHttpDocument *document;
  GError *failure;
  gboolean finished;
} Get;

void
lm_http_document_free (LmHttpDocument *document)
{
  if (document == NULL)
    return;
  g_clear_pointer (&document->body, g_bytes_unref);
  g_free (document->etag);
  g_free (document->url);
  g_free (document);
}

static gboolean
get_response (gpointer user_data, const LmHttpResponse *response, GError **error)
{
  Get *get = user_data;
  get->document = g_new0 (LmHttpDocument, 1);
  get->document->etag = g_strdup (response->etag);
  get->document->url = g_strdup (response->url);
  if (response->status != 304)
    get->body = g_byte_array_new ();
  return TRUE;
}

static gboolean
get_data (gpointer user_data, const void *data, gsize size)
{
  Get *get = user_data;
  if (get->body)
    g_byte_array_append (get->body, data, (guint) size);
  return TRUE;
}

static void
get_done (gpointer user_data, const GError *error)
{
  Get *get = user_data;
  get->failure = error ? g_error_copy (error) : NULL;
  get->finished = TRUE;
}

static const LmHttpHandler get_handler = { get_response, get_data, get_done };

LmHttpDocument *
lm_http_get (const char *url, const char *etag, gsize max_size, const LmHttpOptions *options, GCancellable *cancellable,
             GError **error)
{
  LmHttpOptions bounded = options ? *options : (LmHttpOptions){ 0 };
  bounded.stall_seconds = bounded.stall_seconds ? bounded.stall_seconds : STALL_SECONDS;
  bounded.stall_bytes = bounded.stall_bytes ? bounded.stall_bytes : STALL_BYTES;
  bounded.total_seconds = bounded.total_seconds ? bounded.total_seconds : TOTAL_SECONDS;
  g_autoptr (LmHttp) http = lm_http_new (&bounded);
  Get get = { 0 };
  LmHttpRequest request = { .url = url, .if_none_match = etag, .max_size = max_size };
  if (lm_http_start (http, &request, &get_handler, &get, error) == NULL)
    return NULL;
  while (!get.finished && !g_cancellable_is_cancelled (cancellable))
    lm_http_iterate (http, POLL_MS);

  g_autoptr (LmHttpDocument) document = get.document;
  g_autoptr (GByteArray) body = get.body;
  if (!get.finished)
    {
      g_cancellable_set_error_if_cancelled (cancellable, error);
      return NULL;
    }
  if (get.failure)
    {
      g_propagate_error (error, get.failure);
      return NULL;
    }
  if (body)
    document->body = g_byte_array_free_to_bytes (g_steal_pointer (&body));
  return g_steal_pointer (&document);
}
