/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "base/url.h"
#include "io/http.h"

#include <string.h>

#define POLL_MS 50
/* Somebody waits for a small document: stricter than for a layer. */
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

static LmHttpDocument *
get_http (const char *url, const char *etag, gsize max_size, const LmHttpOptions *options, GCancellable *cancellable,
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

static LmHttpError
file_code (const GError *error)
{
  switch (error->code)
    {
    case G_IO_ERROR_NOT_FOUND:
      return LM_HTTP_ERROR_NOT_FOUND;
    case G_IO_ERROR_PERMISSION_DENIED:
      return LM_HTTP_ERROR_FORBIDDEN;
    case G_IO_ERROR_MESSAGE_TOO_LARGE:
      return LM_HTTP_ERROR_TOO_BIG;
    case G_IO_ERROR_TOO_MANY_OPEN_FILES:
      return LM_HTTP_ERROR_LOCAL;
    default:
      return LM_HTTP_ERROR_FAILED;
    }
}

static LmHttpDocument *
get_file (const char *url, gsize max_size, GCancellable *cancellable, GError **error)
{
  g_autofree char *host = NULL;
  g_autofree char *path = g_filename_from_uri (url, &host, NULL);
  if (path == NULL || (host != NULL && g_ascii_strcasecmp (host, "localhost") != 0))
    {
      g_autofree char *shown = lm_url_redact (url);
      g_propagate_error (error, lm_http_error_new (LM_HTTP_ERROR_BAD_URL, 0, "%.200s: not the URL of a local file", shown));
      return NULL;
    }
  g_autoptr (GError) failure = NULL;
  GBytes *body = lm_file_read (path, max_size, cancellable, &failure);
  if (body == NULL && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (body == NULL)
    {
      g_propagate_error (error, lm_http_error_new (file_code (failure), 0, "%s", failure->message));
      return NULL;
    }
  LmHttpDocument *document = g_new0 (LmHttpDocument, 1);
  document->body = body;
  document->url = g_strdup (url);
  return document;
}

LmHttpDocument *
lm_http_get (const char *url, const char *etag, gsize max_size, const LmHttpOptions *options, GCancellable *cancellable,
             GError **error)
{
  if (g_ascii_strncasecmp (url, "file:", 5) == 0)
    return get_file (url, max_size, cancellable, error);
  return get_http (url, etag, max_size, options, cancellable, error);
}
