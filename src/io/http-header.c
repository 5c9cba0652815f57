/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/content.h"
#include "io/http-private.h"

#include <string.h>

#define MAX_VALUE 1024

char *
lm_http_header_value (const char *line, gsize size, const char *name)
{
  gsize length = strlen (name);
  if (size <= length || line[length] != ':' || g_ascii_strncasecmp (line, name, length) != 0)
    return NULL;
  gsize rest = size - length - 1;
  if (rest > MAX_VALUE)
    return NULL;
  char *value = g_strstrip (g_strndup (line + length + 1, rest));
  if (*value == '\0')
    g_clear_pointer (&value, g_free);
  return value;
}

gboolean
lm_http_parse_content_range (const char *text, guint64 *out_first, gboolean *out_has_total, guint64 *out_total)
{
  char *end;
  if (text == NULL || g_ascii_strncasecmp (text, "bytes ", 6) != 0 || !g_ascii_isdigit (text[6]))
    return FALSE;
  guint64 first = g_ascii_strtoull (text + 6, &end, 10);
  if (*end != '-' || !g_ascii_isdigit (end[1]))
    return FALSE;
  guint64 last = g_ascii_strtoull (end + 1, &end, 10);
  if (*end != '/' || last < first)
    return FALSE;
  gboolean has_total = g_ascii_isdigit (end[1]);
  guint64 total = has_total ? g_ascii_strtoull (end + 1, NULL, 10) : 0;
  if (has_total ? last >= total : strcmp (end + 1, "*") != 0)
    return FALSE;
  *out_first = first;
  *out_has_total = has_total;
  *out_total = total;
  return TRUE;
}

char *
lm_http_response_describe (const LmHttpResponse *response)
{
  if (response->encoding != NULL)
    return g_strdup_printf (": the server compresses it without being asked (Content-Encoding: %.20s); turn that off on "
                            "the server", response->encoding);
  return response->offset == 0 && response->head != NULL ? lm_content_describe (response->head, response->head_size) : g_strdup ("");
}

LmHttpError
lm_http_code_of_status (guint status)
{
  switch (status)
    {
    case 404:
    case 410:
      return LM_HTTP_ERROR_NOT_FOUND;
    case 401:
    case 403:
    case 407:
      return LM_HTTP_ERROR_FORBIDDEN;
    case 429:
    case 503:
      return LM_HTTP_ERROR_BUSY;
    case 408:
    case 425:
    case 500:
    case 502:
    case 504:
      return LM_HTTP_ERROR_TRANSIENT;
    case 416:
      return LM_HTTP_ERROR_RANGE;
    default:
      return LM_HTTP_ERROR_FAILED;
    }
}
