/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Transfers over HTTP and HTTPS; only io/http*.c know of curl. It owns
 * connections, redirects, limits and what a status means. It knows nothing of
 * layers, digests or retries: it says exactly what went wrong (LM_HTTP_ERROR,
 * with Retry-After) and io/retry decides.
 *
 * Redirects stay on http and https, and on https where that matters
 * (LmHttpRequest.pinned); credentials in a URL never go to another host.
 * Proxies by the environment, as curl does. HTTP: RFC 9110, 9112. */
#include <gio/gio.h>

typedef enum
{
  LM_HTTP_ERROR_BAD_URL,   /* not a URL, or of a scheme not spoken here */
  LM_HTTP_ERROR_NOT_FOUND, /* 404, 410 */
  LM_HTTP_ERROR_FORBIDDEN, /* 401, 403, 407 */
  LM_HTTP_ERROR_TRANSIENT, /* 408, 425, 5xx, connection lost */
  LM_HTTP_ERROR_BUSY,      /* refused for now, perhaps for the number of transfers: 429, 503, no connection, no answer */
  LM_HTTP_ERROR_STALLED,   /* fewer bytes than the stall limit asks for */
  LM_HTTP_ERROR_SHORT,     /* the body ended before its announced end */
  LM_HTTP_ERROR_TOO_BIG,   /* more bytes than the ceiling, announced or sent */
  LM_HTTP_ERROR_TOO_SMALL, /* fewer bytes announced than the file must have */
  LM_HTTP_ERROR_RANGE,     /* the range was not answered as asked: start again at 0 */
  LM_HTTP_ERROR_PROTOCOL,  /* not HTTP, a redirect loop, a redirect to a scheme not allowed */
  LM_HTTP_ERROR_LOCAL,     /* this host lacks descriptors or memory; says nothing about the server */
  LM_HTTP_ERROR_FAILED,    /* any other status or failure: certificate, ... */
} LmHttpError;

#define LM_HTTP_ERROR lm_http_error_quark ()
GQuark lm_http_error_quark (void);

/** lm_http_error_get_retry_after: seconds that the server asked to wait
 * (Retry-After); 0 if it did not. */
guint lm_http_error_get_retry_after (const GError *error);

/** lm_http_error_new: an LM_HTTP_ERROR, for other sources and for tests. */
GError *lm_http_error_new (LmHttpError code, guint retry_after, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

/* How the network is used. All zero means the defaults. */
typedef struct
{
  guint connect_seconds; /* to reach a server; default 20 */
  guint stall_seconds;   /* slower than stall_bytes a second for so long is an error; default 30 */
  guint stall_bytes;     /* default 256 */
  guint total_seconds;   /* for one whole transfer; 0: no limit. lm_http_get(): default 180 */
  guint connections;     /* most at once; default 16 */
} LmHttpOptions;

typedef struct _LmHttp LmHttp;
typedef struct _LmHttpTransfer LmHttpTransfer;

typedef struct
{
  const char *url;
  guint64 offset;            /* first byte wanted; 0: the whole file */
  const char *if_none_match; /* ETag of a copy at hand; NULL: none. Allows status 304 */
  guint64 max_size;          /* ceiling on the whole file, bytes; 0: none */
  gboolean pinned;           /* the caller knows the digest: https may redirect to http */
} LmHttpRequest;

typedef struct
{
  guint status;          /* 200, 206, 304 */
  guint64 offset;        /* where the body starts in the file: where asked for, or before */
  gboolean has_total;    /* whether the server told the size of the whole file */
  guint64 total;         /* bytes, valid if has_total */
  const char *etag;      /* as sent; NULL: none */
  const char *encoding;  /* Content-Encoding, which was not asked for; NULL: none */
  const void *head;      /* the first bytes that came; NULL: none yet */
  gsize head_size;
  const char *url;       /* after redirects; without credentials, but those that a redirect gave */
} LmHttpResponse;

/** lm_http_response_describe: ": ..." to be put after a message that a file is
 * not what was expected: what it is, and what to do; "" if nothing is known that
 * would help. Newly allocated. */
char *lm_http_response_describe (const LmHttpResponse *response);

/* All are called by lm_http_iterate(), in its thread. They must not cancel
 * their own transfer. */
typedef struct
{
  /* Before the first byte. FALSE ends the transfer with that error. */
  gboolean (*response) (gpointer user_data, const LmHttpResponse *response, GError **error);
  /* FALSE: no room now. The same bytes come again after lm_http_transfer_resume(). */
  gboolean (*data) (gpointer user_data, const void *data, gsize size);
  /* Last call; @error NULL is success. The transfer is freed after it. */
  void (*done) (gpointer user_data, const GError *error);
} LmHttpHandler;

/** lm_http_new: an engine without transfers. @options may be NULL. */
LmHttp *lm_http_new (const LmHttpOptions *options);

/** lm_http_free: ends all transfers without calling their handlers. */
void lm_http_free (LmHttp *http);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmHttp, lm_http_free)

/** lm_http_start: starts a transfer; owned by @http. @handler must outlive
 * it. Does not block. Error: LM_HTTP_ERROR_BAD_URL. */
LmHttpTransfer *lm_http_start (LmHttp *http, const LmHttpRequest *request, const LmHttpHandler *handler,
                               gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_http_transfer_resume: offers the refused bytes again. Not to be called
 * from the transfer's own handler. */
void lm_http_transfer_resume (LmHttpTransfer *transfer);

/** lm_http_transfer_cancel: ends and frees it; the handler is not called. */
void lm_http_transfer_cancel (LmHttpTransfer *transfer);

/** lm_http_iterate: moves bytes and calls handlers; waits at most
 * @timeout_ms for something to do. */
void lm_http_iterate (LmHttp *http, guint timeout_ms);

/** lm_http_wakeup: makes a waiting lm_http_iterate() return; any thread. */
void lm_http_wakeup (LmHttp *http);

/* A small document, such as a catalog. */
typedef struct
{
  GBytes *body; /* NULL: not modified */
  char *etag;   /* as sent; NULL: none */
  char *url;    /* where it came from, after redirects */
} LmHttpDocument;

void lm_http_document_free (LmHttpDocument *document);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmHttpDocument, lm_http_document_free)

/** lm_http_get: fetches http:// or https:// @url whole, at most
 * @max_size bytes. @etag (NULL: none) is that of a copy at hand: if it still
 * holds, body is NULL. @options may be NULL. Blocks until done, too slow
 * (LM_HTTP_ERROR_STALLED: below the stall limit, or not done in total_seconds) or
 * cancelled (G_IO_ERROR_CANCELLED); one try. Errors: LM_HTTP_ERROR. */
LmHttpDocument *lm_http_get (const char *url, const char *etag, gsize max_size, const LmHttpOptions *options,
                             GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
