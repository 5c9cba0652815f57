/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Transfers over HTTP and HTTPS. Only io/http*.c use curl. This module owns
 * connections, redirects, limits and the meaning of status codes. It knows nothing
 * about layers, digests or retries: it reports exactly what went wrong
 * (LM_HTTP_ERROR, with Retry-After), and io/retry decides whether to try again.
 *
 * Redirects are followed to http and https URLs; redirects from https to http only
 * if LmHttpRequest.digest_known is set. Credentials in a URL are never sent to
 * another host. Proxies are taken from the environment, as curl does. HTTP: RFC
 * 9110 and 9112. */
#include <gio/gio.h>

typedef enum
{
  LM_HTTP_ERROR_BAD_URL,   /* not an http or https URL */
  LM_HTTP_ERROR_NOT_FOUND, /* 404, 410 */
  LM_HTTP_ERROR_FORBIDDEN, /* 401, 403, 407 */
  LM_HTTP_ERROR_TRANSIENT, /* 408, 425, 5xx, connection lost */
  LM_HTTP_ERROR_BUSY,      /* refused for now, perhaps for too many transfers: 429, 503, no connection, no answer */
  LM_HTTP_ERROR_STALLED,   /* slower than the stall limit */
  LM_HTTP_ERROR_SHORT,     /* the body ended before its announced end */
  LM_HTTP_ERROR_TOO_BIG,   /* more bytes than max_size, announced or sent */
  LM_HTTP_ERROR_TOO_SMALL, /* the announced size is smaller than the file must be */
  LM_HTTP_ERROR_RANGE,     /* the server did not send the requested range; start again at 0 */
  LM_HTTP_ERROR_PROTOCOL,  /* not HTTP, a redirect loop, a redirect to a forbidden scheme */
  LM_HTTP_ERROR_LOCAL,     /* this host lacks descriptors or memory; the server is not to blame */
  LM_HTTP_ERROR_FAILED,    /* any other status or failure, such as a bad certificate */
} LmHttpError;

#define LM_HTTP_ERROR lm_http_error_quark ()
GQuark lm_http_error_quark (void);

/** lm_http_error_get_retry_after: returns how many seconds the server asked to wait
 * (Retry-After); 0 if it did not. */
guint lm_http_error_get_retry_after (const GError *error);

/** lm_http_error_new: returns a new LM_HTTP_ERROR, for other modules and for tests. */
GError *lm_http_error_new (LmHttpError code, guint retry_after, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

/* Limits on the use of the network. A value of zero means the default. */
typedef struct
{
  guint connect_seconds; /* time to connect; default 20 */
  guint stall_seconds;   /* slower than stall_bytes per second for this long is an error; default 30 */
  guint stall_bytes;     /* bytes per second; default 256 */
  guint total_seconds;   /* for one whole transfer; default: no limit, in lm_http_get() 180 */
  guint connections;     /* maximum number at a time; default 16 */
} LmHttpOptions;

typedef struct _LmHttp LmHttp;
typedef struct _LmHttpTransfer LmHttpTransfer;

typedef struct
{
  const char *url;
  guint64 offset;            /* first byte to fetch; 0: the whole file */
  const char *if_none_match; /* ETag of the copy that the caller has, or NULL. Allows status 304 */
  guint64 max_size;          /* maximum size of the whole file in bytes; 0: none */
  gboolean digest_known;     /* the caller verifies the digest, so https may redirect to http */
} LmHttpRequest;

typedef struct
{
  guint status;          /* 200, 206, 304 */
  guint64 offset;        /* where in the file the body starts: at the requested offset or before it */
  gboolean has_total;    /* whether the server announced the size of the whole file */
  guint64 total;         /* bytes, valid if has_total */
  const char *etag;      /* as sent; NULL if none */
  const char *encoding;  /* Content-Encoding, which was not requested; NULL if none */
  const void *head;      /* the first bytes of the body; NULL if none has arrived */
  gsize head_size;
  const char *url;       /* after redirects; holds no credentials except those added by a redirect */
} LmHttpResponse;

/** lm_http_response_describe: returns text to append to a message about a file that
 * is not what was expected, in the form ": what it is; what to do", or "" if
 * nothing helpful is known. Newly allocated. */
char *lm_http_response_describe (const LmHttpResponse *response);

/* Callbacks of a transfer. lm_http_iterate() calls them, in its own thread. They
 * must not cancel their own transfer. */
typedef struct
{
  /* Called before the first byte. FALSE, with @error set, ends the transfer with that error. */
  gboolean (*response) (gpointer user_data, const LmHttpResponse *response, GError **error);
  /* Called with the next bytes. FALSE means that there is no room now; the same bytes
   * are passed again after lm_http_transfer_resume(). */
  gboolean (*data) (gpointer user_data, const void *data, gsize size);
  /* The last call; @error is NULL on success. The transfer is freed afterwards. */
  void (*done) (gpointer user_data, const GError *error);
} LmHttpHandler;

/** lm_http_new: returns an engine without transfers. @options may be NULL for the defaults. */
LmHttp *lm_http_new (const LmHttpOptions *options);

/** lm_http_free: ends all transfers without calling their handlers; NULL is ignored. */
void lm_http_free (LmHttp *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmHttp, lm_http_free)

/** lm_http_start: starts a transfer, which @http owns. @handler must outlive it.
 * Does not block. Error: LM_HTTP_ERROR_BAD_URL. */
LmHttpTransfer *lm_http_start (LmHttp *http, const LmHttpRequest *request, const LmHttpHandler *handler,
                               gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_http_transfer_resume: passes the bytes that the handler refused to it again.
 * Must not be called from the transfer's own handler. */
void lm_http_transfer_resume (LmHttpTransfer *transfer);

/** lm_http_transfer_cancel: ends and frees @transfer; its handler is not called. */
void lm_http_transfer_cancel (LmHttpTransfer *transfer);

/** lm_http_iterate: transfers data and calls handlers; waits at most @timeout_ms
 * for something to do. */
void lm_http_iterate (LmHttp *http, guint timeout_ms);

/** lm_http_wakeup: makes a waiting lm_http_iterate() return. May be called from any thread. */
void lm_http_wakeup (LmHttp *http);

/* A small document, such as a catalog. */
typedef struct
{
  GBytes *body;  /* NULL if not modified */
  char *etag;    /* as sent; NULL if none */
  char *url;     /* the URL after redirects */
} LmHttpDocument;

/** lm_http_document_free: frees @document; NULL is ignored. */
void lm_http_document_free (LmHttpDocument *document);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmHttpDocument, lm_http_document_free)

/** lm_http_get: fetches the whole of the http:// or https:// @url, at most
 * @max_size bytes, in one attempt. @etag is that of the copy that the caller has,
 * or NULL; if the copy is still current, the body of the result is NULL. @options
 * may be NULL. Blocks until it is done, too slow (LM_HTTP_ERROR_STALLED: below the
 * stall limit, or not finished after total_seconds) or cancelled
 * (G_IO_ERROR_CANCELLED). Other errors: LM_HTTP_ERROR. */
LmHttpDocument *lm_http_get (const char *url, const char *etag, gsize max_size, const LmHttpOptions *options,
                             GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
