/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What HTTP, TLS and curl's codes mean: pure functions of http.c. */
#include "io/http.h"

/** lm_http_header_value: the value of the header @name (lower case) if @line
 * of @size bytes is that header, newly allocated; NULL if it is another, or
 * empty, or absurdly long. */
char *lm_http_header_value (const char *line, gsize size, const char *name);

/** lm_http_parse_content_range: RFC 9110 section 14.4,
 * "bytes FIRST-LAST/TOTAL", where TOTAL may be "*". @text may be NULL. */
gboolean lm_http_parse_content_range (const char *text, guint64 *out_first, gboolean *out_has_total, guint64 *out_total);

/** lm_http_code_of_status: what a status other than 2xx and 304 means. */
LmHttpError lm_http_code_of_status (guint status);

/** lm_http_code_of_curl: what a failure of curl's (CURLcode) means; @os_errno is
 * what the system said last, 0 if nothing. */
LmHttpError lm_http_code_of_curl (int code, int os_errno);

/** lm_http_redirect_schemes: to which schemes a redirect of @url may lead, as
 * curl takes them. Redirects from https to http are refused unless the digest is
 * known (@pinned of LmHttpRequest). */
const char *lm_http_redirect_schemes (const char *url, gboolean pinned);

/** lm_http_certificate_problem: why a server's certificate was refused.
 * @result is what @tls_library (as curl names it, may be NULL) found. NULL: not
 * known; curl does not say it with GnuTLS, and says it well with others. */
const char *lm_http_certificate_problem (const char *tls_library, guint result);
