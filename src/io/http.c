/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/http.h"
#include "base/error.h"
#include "base/trace.h"
#include "base/url.h"
#include "io/http-private.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECT_SECONDS 20
#define STALL_SECONDS 30
#define STALL_BYTES 256
#define CONNECTIONS 16
#define MAX_REDIRECTS 10
#define MAX_URL 8192
/* Large reads, because each read costs a system call and a callback. */
#define BUFFER_SIZE (512L * 1024)

struct _LmHttp
{
  CURLM *multi;
  LmHttpOptions options;
  GHashTable *transfers; /* LmHttpTransfer, a set */
};

struct _LmHttpTransfer
{
  LmHttp *http;
  CURL *easy;
  struct curl_slist *headers;
  char *shown_url; /* the URL, redacted */
  const char *redirects; /* schemes that redirects may lead to */
  const LmHttpHandler *handler;
  gpointer user_data;
  guint64 offset;   /* requested */
  gboolean ranged;
  gboolean conditional; /* status 304 is allowed */
  guint64 max_size;     /* 0 for no limit */

  /* Of the response that is being received. */
  char *etag;
  char *content_encoding;
  char *content_range;
  gboolean responded; /* the handler has been told about the response */
  guint64 position;   /* offset in the file of the next byte */
  GError *failure;    /* set in a callback; takes precedence over curl's error */
  int socket_errno;   /* why socket() failed; curl only says that it could not connect */
  char message[CURL_ERROR_SIZE];
};

static void
transfer_free (LmHttpTransfer *transfer)
{
  if (transfer->easy)
    {
      curl_multi_remove_handle (transfer->http->multi, transfer->easy);
      curl_easy_cleanup (transfer->easy);
    }
  curl_slist_free_all (transfer->headers);
  g_free (transfer->shown_url);
  g_free (transfer->etag);
  g_free (transfer->content_encoding);
  g_free (transfer->content_range);
  g_clear_error (&transfer->failure);
  g_free (transfer);
}

LmHttp *
lm_http_new (const LmHttpOptions *options)
{
  LmHttp *http = g_new0 (LmHttp, 1);
  if (options)
    http->options = *options;
  LmHttpOptions *o = &http->options;
  o->connect_seconds = o->connect_seconds ? o->connect_seconds : CONNECT_SECONDS;
  o->stall_seconds = o->stall_seconds ? o->stall_seconds : STALL_SECONDS;
  o->stall_bytes = o->stall_bytes ? o->stall_bytes : STALL_BYTES;
  o->connections = o->connections ? o->connections : CONNECTIONS;
  /* curl counts these calls; each is paired with the one in lm_http_free(). */
  if (curl_global_init (CURL_GLOBAL_DEFAULT) != CURLE_OK || (http->multi = curl_multi_init ()) == NULL)
    g_error ("libcurl cannot be initialized");
  curl_multi_setopt (http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long) o->connections);
  curl_multi_setopt (http->multi, CURLMOPT_MAXCONNECTS, (long) o->connections);
  curl_multi_setopt (http->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  http->transfers = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) transfer_free, NULL);
  return http;
}

void
lm_http_free (LmHttp *http)
{
  if (http == NULL)
    return;
  g_hash_table_unref (http->transfers);
  curl_multi_cleanup (http->multi);
  curl_global_cleanup ();
  g_free (http);
}

static void
store_header (char **slot, char *value)
{
  if (value == NULL)
    return;
  g_free (*slot);
  *slot = value;
}

static void
reset_response (LmHttpTransfer *transfer)
{
  g_clear_pointer (&transfer->etag, g_free);
  g_clear_pointer (&transfer->content_encoding, g_free);
  g_clear_pointer (&transfer->content_range, g_free);
}

static size_t
on_curl_header (char *line, size_t one, size_t size, void *user_data)
{
  LmHttpTransfer *transfer = user_data;
  /* A status line begins a new response; the headers of a redirect before it do not count. */
  if (size > 5 && memcmp (line, "HTTP/", 5) == 0)
    reset_response (transfer);
  store_header (&transfer->etag, lm_http_header_value (line, size, "etag"));
  store_header (&transfer->content_encoding, lm_http_header_value (line, size, "content-encoding"));
  store_header (&transfer->content_range, lm_http_header_value (line, size, "content-range"));
  return size;
}

static guint
get_status (LmHttpTransfer *transfer)
{
  long status = 0;
  curl_easy_getinfo (transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  return (guint) status;
}

static GError *
status_error (LmHttpTransfer *transfer, guint status)
{
  curl_off_t wait = 0;
  curl_easy_getinfo (transfer->easy, CURLINFO_RETRY_AFTER, &wait);
  return lm_http_error_new (lm_http_code_of_status (status), (guint) CLAMP (wait, 0, G_MAXINT),
                            "%s: the server answered with status %u", transfer->shown_url, status);
}

/* Checks the headers and tells the handler about the response, once. On FALSE transfer->failure is set. */
static gboolean
handle_response (LmHttpTransfer *transfer, const void *head, gsize head_size)
{
  guint status = get_status (transfer);
  const char *encoding = transfer->content_encoding;
  LmHttpResponse response = { .status = status, .etag = transfer->etag, .head = head, .head_size = head_size };
  response.encoding = encoding != NULL && g_ascii_strcasecmp (encoding, "identity") != 0 ? encoding : NULL;
  transfer->responded = TRUE;
  if (status == 206)
    {
      if (!transfer->ranged
          || !lm_http_parse_content_range (transfer->content_range, &response.offset, &response.has_total, &response.total)
          || response.offset > transfer->offset)
        {
          transfer->failure = lm_http_error_new (LM_HTTP_ERROR_RANGE, 0,
                                                 "%s: the server did not send the requested range",
                                                 transfer->shown_url);
          return FALSE;
        }
    }
  else if (status == 200 || (status == 304 && transfer->conditional))
    {
      curl_off_t length = -1;
      curl_easy_getinfo (transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
      response.has_total = status == 200 && length >= 0;
      response.total = response.has_total ? (guint64) length : 0;
    }
  else
    {
      transfer->failure = status_error (transfer, status);
      return FALSE;
    }
  if (response.has_total && transfer->max_size > 0 && response.total > transfer->max_size)
    {
      g_autofree char *hint = lm_http_response_describe (&response);
      transfer->failure = lm_http_error_new (LM_HTTP_ERROR_TOO_BIG, 0,
                                             "%s: the server announces %" G_GUINT64_FORMAT " bytes, more than the %" G_GUINT64_FORMAT " allowed%s",
                                             transfer->shown_url, response.total, transfer->max_size, hint);
      return FALSE;
    }
  transfer->position = response.offset;
  char *url = NULL;
  curl_easy_getinfo (transfer->easy, CURLINFO_EFFECTIVE_URL, &url);
  response.url = url;
  return transfer->handler->response (transfer->user_data, &response, &transfer->failure);
}

static size_t
on_curl_data (char *data, size_t one, size_t size, void *user_data)
{
  LmHttpTransfer *transfer = user_data;
  if (size == 0)
    return 0;
  if (!transfer->responded && !handle_response (transfer, data, size))
    return 0;
  if (transfer->max_size > 0 && (size > transfer->max_size || transfer->position > transfer->max_size - size))
    {
      transfer->failure = lm_http_error_new (LM_HTTP_ERROR_TOO_BIG, 0,
                                             "%s: the server sends more than the %" G_GUINT64_FORMAT " bytes allowed",
                                             transfer->shown_url, transfer->max_size);
      return 0;
    }
  if (!transfer->handler->data (transfer->user_data, data, size))
    return CURL_WRITEFUNC_PAUSE;
  transfer->position += size;
  return size;
}

/* Passes the credentials to curl separately from the URL, so that every version of
 * curl sends them again after a redirect to the same host but to no other host, and
 * none includes them in the effective URL. */
static void
set_url (CURL *easy, const char *url)
{
  CURLU *parts = curl_url ();
  char *user = NULL, *password = NULL, *bare = NULL;
  if (curl_url_set (parts, CURLUPART_URL, url, 0) == CURLUE_OK
      && curl_url_get (parts, CURLUPART_USER, &user, CURLU_URLDECODE) == CURLUE_OK)
    {
      (void) curl_url_get (parts, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
      curl_easy_setopt (easy, CURLOPT_USERNAME, user);
      curl_easy_setopt (easy, CURLOPT_PASSWORD, password ? password : "");
      (void) curl_url_set (parts, CURLUPART_USER, NULL, 0);
      (void) curl_url_set (parts, CURLUPART_PASSWORD, NULL, 0);
      (void) curl_url_get (parts, CURLUPART_URL, &bare, 0);
    }
  curl_easy_setopt (easy, CURLOPT_URL, bare ? bare : url);
  curl_free (bare);
  curl_free (password);
  curl_free (user);
  curl_url_cleanup (parts);
}

static curl_socket_t
open_socket (void *user_data, curlsocktype purpose, struct curl_sockaddr *address)
{
  LmHttpTransfer *transfer = user_data;
  int fd = socket (address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  transfer->socket_errno = fd < 0 ? errno : 0;
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static void
set_options (LmHttpTransfer *transfer, const LmHttpRequest *request)
{
  CURL *easy = transfer->easy;
  const LmHttpOptions *options = &transfer->http->options;
  curl_easy_setopt (easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt (easy, CURLOPT_OPENSOCKETDATA, transfer);
  curl_easy_setopt (easy, CURLOPT_PRIVATE, transfer);
  curl_easy_setopt (easy, CURLOPT_ERRORBUFFER, transfer->message);
  set_url (easy, request->url);
  curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (easy, CURLOPT_USERAGENT, "lamina/" PACKAGE_VERSION);
  curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (easy, CURLOPT_REDIR_PROTOCOLS_STR, transfer->redirects);
  curl_easy_setopt (easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt (easy, CURLOPT_MAXREDIRS, (long) MAX_REDIRECTS);
  curl_easy_setopt (easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
  curl_easy_setopt (easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt (easy, CURLOPT_CONNECTTIMEOUT, (long) options->connect_seconds);
  curl_easy_setopt (easy, CURLOPT_TIMEOUT, (long) options->total_seconds);
  curl_easy_setopt (easy, CURLOPT_LOW_SPEED_TIME, (long) options->stall_seconds);
  curl_easy_setopt (easy, CURLOPT_LOW_SPEED_LIMIT, (long) options->stall_bytes);
  curl_easy_setopt (easy, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
  curl_easy_setopt (easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt (easy, CURLOPT_HEADERFUNCTION, on_curl_header);
  curl_easy_setopt (easy, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, on_curl_data);
  curl_easy_setopt (easy, CURLOPT_WRITEDATA, transfer);
  if (transfer->ranged)
    {
      g_autofree char *range = g_strdup_printf ("%" G_GUINT64_FORMAT "-", request->offset);
      curl_easy_setopt (easy, CURLOPT_RANGE, range);
    }
  if (transfer->headers)
    curl_easy_setopt (easy, CURLOPT_HTTPHEADER, transfer->headers);
}

/* A value from a file or a server must not add headers of its own. */
static void
add_header (LmHttpTransfer *transfer, const char *name, const char *value)
{
  if (value == NULL || strpbrk (value, "\r\n") != NULL)
    return;
  g_autofree char *line = g_strdup_printf ("%s: %s", name, value);
  transfer->headers = curl_slist_append (transfer->headers, line);
}

LmHttpTransfer *
lm_http_start (LmHttp *http, const LmHttpRequest *request, const LmHttpHandler *handler, gpointer user_data, GError **error)
{
  g_autofree char *shown = lm_url_redact (request->url);
  if (strlen (request->url) > MAX_URL
      || (g_ascii_strncasecmp (request->url, "http://", 7) != 0 && g_ascii_strncasecmp (request->url, "https://", 8) != 0))
    {
      g_propagate_error (error, lm_http_error_new (LM_HTTP_ERROR_BAD_URL, 0, "%.200s: not an http or https URL", shown));
      return NULL;
    }
  LmHttpTransfer *transfer = g_new0 (LmHttpTransfer, 1);
  transfer->http = http;
  transfer->shown_url = g_steal_pointer (&shown);
  transfer->redirects = lm_http_redirect_schemes (request->url, request->digest_known);
  transfer->handler = handler;
  transfer->user_data = user_data;
  transfer->offset = request->offset;
  transfer->ranged = request->offset > 0;
  transfer->conditional = request->if_none_match != NULL;
  transfer->max_size = request->max_size;
  transfer->easy = curl_easy_init ();
  if (transfer->easy == NULL)
    g_error ("libcurl is out of memory");
  add_header (transfer, "If-None-Match", request->if_none_match);
  set_options (transfer, request);
  curl_multi_add_handle (http->multi, transfer->easy);
  g_hash_table_add (http->transfers, transfer);
  lm_trace (LM_TRACE_HTTP, "get %s from %" G_GUINT64_FORMAT, transfer->shown_url, request->offset);
  return transfer;
}

void
lm_http_transfer_resume (LmHttpTransfer *transfer)
{
  curl_easy_pause (transfer->easy, CURLPAUSE_CONT);
}

void
lm_http_transfer_cancel (LmHttpTransfer *transfer)
{
  g_hash_table_remove (transfer->http->transfers, transfer);
}

/* Returns a more helpful text than curl's own, or NULL if curl's is good. */
static char *
explain_curl_error (LmHttpTransfer *transfer, CURLcode code)
{
  if (code == CURLE_UNSUPPORTED_PROTOCOL && get_status (transfer) / 100 == 3)
    return g_strdup_printf ("the server redirects to a scheme that is not allowed; allowed: %s", transfer->redirects);
  long result = 0;
  if (code != CURLE_PEER_FAILED_VERIFICATION
      || curl_easy_getinfo (transfer->easy, CURLINFO_SSL_VERIFYRESULT, &result) != CURLE_OK)
    return NULL;
  const char *problem = lm_http_certificate_problem (curl_version_info (CURLVERSION_NOW)->ssl_version, (guint) result);
  return problem ? g_strdup_printf ("the certificate of the server is refused: %s", problem) : NULL;
}

/* Returns the error with which the transfer ended, or NULL for success. */
static GError *
get_transfer_error (LmHttpTransfer *transfer, CURLcode code)
{
  if (transfer->failure == NULL && code == CURLE_OK && !transfer->responded)
    (void) handle_response (transfer, NULL, 0);
  if (transfer->failure != NULL)
    return g_steal_pointer (&transfer->failure);
  if (code == CURLE_OK)
    return NULL;
  g_autofree char *explained = explain_curl_error (transfer, code);
  const char *why = explained ? explained : transfer->message[0] ? transfer->message : curl_easy_strerror (code);
  long os_errno = transfer->socket_errno;
  if (os_errno == 0)
    curl_easy_getinfo (transfer->easy, CURLINFO_OS_ERRNO, &os_errno);
  LmHttpError meaning = lm_http_code_of_curl ((int) code, (int) os_errno);
  /* The connection was lost before the server answered, so no transfer under way was interrupted. */
  if (meaning == LM_HTTP_ERROR_TRANSIENT && !transfer->responded)
    meaning = LM_HTTP_ERROR_BUSY;
  if (meaning == LM_HTTP_ERROR_LOCAL)
    why = lm_error_text_of_errno (os_errno ? (int) os_errno : ENOMEM);
  return lm_http_error_new (meaning, 0, "%s: %s", transfer->shown_url, why);
}

static void
finish_transfer (LmHttp *http, CURL *easy, CURLcode code)
{
  LmHttpTransfer *transfer = NULL;
  curl_easy_getinfo (easy, CURLINFO_PRIVATE, (char **) &transfer);
  g_autoptr (GError) error = get_transfer_error (transfer, code);
  lm_trace (LM_TRACE_HTTP, "end of %s: %s", transfer->shown_url, error ? error->message : "done");
  const LmHttpHandler *handler = transfer->handler;
  gpointer user_data = transfer->user_data;
  g_hash_table_remove (http->transfers, transfer);
  handler->done (user_data, error);
}

void
lm_http_iterate (LmHttp *http, guint timeout_ms)
{
  int running;
  curl_multi_perform (http->multi, &running);
  CURLMsg *message;
  int left;
  gboolean finished = FALSE;
  while ((message = curl_multi_info_read (http->multi, &left)) != NULL)
    if (message->msg == CURLMSG_DONE)
      {
        finish_transfer (http, message->easy_handle, message->data.result);
        finished = TRUE;
      }
  if (!finished && timeout_ms > 0)
    curl_multi_poll (http->multi, NULL, 0, (int) timeout_ms, NULL);
}

void
lm_http_wakeup (LmHttp *http)
{
  curl_multi_wakeup (http->multi);
}
