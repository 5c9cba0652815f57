/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* URLs of a catalog: relative to where it came from, of few schemes. */
#include <glib.h>

#define LM_URL_MAX 2048

typedef enum
{
  LM_URL_ERROR_INVALID, /* not a URL, or of another scheme than file, http, https */
  LM_URL_ERROR_LOCAL,   /* names a local file, from a catalog that is not local */
} LmUrlError;

#define LM_URL_ERROR lm_url_error_quark ()
GQuark lm_url_error_quark (void);

/** lm_url_check_base: whether @url is absolute and of a scheme that a catalog may come by. */
gboolean lm_url_check_base (const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_url_directory: @base up to the last '/' of its path: what a plain
 * relative URL is put after. @base was checked. Newly allocated. */
char *lm_url_directory (const char *base);

/** lm_url_is_plain: whether @url is a relative path of unreserved characters
 * without "." and ".." segments, so that resolving it is putting it after the
 * base's directory (RFC 3986 section 5.2 comes to just that). */
gboolean lm_url_is_plain (const char *url);

/** lm_url_resolve: @url, absolute or relative to @base (which was checked), as
 * an absolute URL (RFC 3986); newly allocated. Only the schemes file, http
 * and https; file only if @base is one too. Errors: LM_URL_ERROR. */
char *lm_url_resolve (const char *base, const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;
