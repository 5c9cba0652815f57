/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/http-private.h"

#include <curl/curl.h>
#include <errno.h>

/* The accessor that G_DEFINE_EXTENDED_ERROR() defines can return NULL for an error
 * of another domain; gcc cannot see that it is never called with one. */
#pragma GCC diagnostic ignored "-Wnull-dereference"

typedef struct
{
  guint retry_after;
} LmHttpErrorPrivate;

static void
lm_http_error_private_init (LmHttpErrorPrivate *priv)
{
  priv->retry_after = 0;
}

static void
lm_http_error_private_copy (const LmHttpErrorPrivate *from, LmHttpErrorPrivate *to)
{
  *to = *from;
}

static void
lm_http_error_private_clear (LmHttpErrorPrivate *priv)
{
}

G_DEFINE_EXTENDED_ERROR (LmHttpError, lm_http_error)

guint
lm_http_error_get_retry_after (const GError *error)
{
  return error != NULL && error->domain == LM_HTTP_ERROR ? lm_http_error_get_private (error)->retry_after : 0;
}

GError *
lm_http_error_new (LmHttpError code, guint retry_after, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  GError *error = g_error_new_valist (LM_HTTP_ERROR, (int) code, format, args);
  va_end (args);
  LmHttpErrorPrivate *priv = lm_http_error_get_private (error);
  priv->retry_after = retry_after;
  return error;
}

LmHttpError
lm_http_code_of_curl (int code, int os_errno)
{
  if (os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOMEM || os_errno == ENOBUFS)
    return LM_HTTP_ERROR_LOCAL;
  switch (code)
    {
    case CURLE_OUT_OF_MEMORY:
      return LM_HTTP_ERROR_LOCAL;
    case CURLE_URL_MALFORMAT:
      return LM_HTTP_ERROR_BAD_URL;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return LM_HTTP_ERROR_TRANSIENT;
    case CURLE_OPERATION_TIMEDOUT:
      return LM_HTTP_ERROR_STALLED;
    case CURLE_PARTIAL_FILE:
      return LM_HTTP_ERROR_SHORT;
    case CURLE_FILESIZE_EXCEEDED:
      return LM_HTTP_ERROR_TOO_BIG;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_RANGE_ERROR:
    case CURLE_BAD_CONTENT_ENCODING:
      return LM_HTTP_ERROR_PROTOCOL;
    default:
      return LM_HTTP_ERROR_FAILED;
    }
}
