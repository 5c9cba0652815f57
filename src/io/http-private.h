/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What HTTP headers, status codes, TLS results and curl's error codes mean. Pure
 * functions, used by http.c. */
#include "io/http.h"

/** lm_http_header_value: returns the value of the header @name (lower case) if the
 * line of @size bytes at @line is that header, newly allocated. NULL if it is
 * another header, or if the value is empty or longer than 1 KiB. */
char *lm_http_header_value (const char *line, gsize size, const char *name);

/** lm_http_parse_content_range: parses "bytes FIRST-LAST/TOTAL", where TOTAL may be
 * "*" (RFC 9110 section 14.4). @text may be NULL, which is invalid. */
gboolean lm_http_parse_content_range (const char *text, guint64 *out_first, gboolean *out_has_total, guint64 *out_total);

/** lm_http_code_of_status: returns the error code for a status other than 2xx and 304. */
LmHttpError lm_http_code_of_status (guint status);

/** lm_http_code_of_curl: returns the error code for @code, a CURLcode. @os_errno is
 * the last errno value of the operating system, 0 if there is none. */
LmHttpError lm_http_code_of_curl (int code, int os_errno);

/** lm_http_redirect_schemes: returns the schemes to which @url may redirect, in
 * curl's syntax; static. Redirects from https to http are refused unless
 * @digest_known (LmHttpRequest). */
const char *lm_http_redirect_schemes (const char *url, gboolean digest_known);

/** lm_http_certificate_problem: returns why a server's certificate was refused,
 * static. @result is the verification result of @tls_library, the name that curl
 * gives (may be NULL). NULL if unknown or if the library is not GnuTLS; with other
 * libraries, curl's own message says enough. */
const char *lm_http_certificate_problem (const char *tls_library, guint result);
