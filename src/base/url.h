/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* URLs of catalogs and layers: of few schemes, relative to where a catalog came
 * from, and with credentials (a user's name and password, or a token in the
 * query) that are for one host and for nobody's eyes. Wherever a URL becomes text
 * (messages, JSON, records, metadata) it goes through lm_url_redact(); only
 * what must fetch by it again keeps the whole, in files of mode 0600. */
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
 * and https; file only if @base is one too. Of @base's own host it has @base's
 * user and password (lm_url_inherit()). Errors: LM_URL_ERROR. */
char *lm_url_resolve (const char *base, const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_url_inherit: the absolute @url, with the user and password of @base if it
 * has none of its own and scheme, host and port are @base's; newly allocated. */
char *lm_url_inherit (const char *base, const char *url);

/** lm_url_redact: what may be shown of @url, absolute or relative: all but user,
 * password, query and fragment; of what cannot be read as a URL only the scheme
 * and "***". Newly allocated. */
char *lm_url_redact (const char *url);

/** lm_url_is_secret: whether lm_url_redact() takes anything out of @url. */
gboolean lm_url_is_secret (const char *url);

/** lm_url_redact_text: @text, each thing in it that looks like a URL shown as by
 * lm_url_redact(); newly allocated. Only a net, for messages that repeat what
 * a user wrote in the wrong place: who knows a URL as such redacts that. */
char *lm_url_redact_text (const char *text);
