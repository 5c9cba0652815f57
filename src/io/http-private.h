/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What HTTP itself says, without curl: pure functions of http.c. */
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
