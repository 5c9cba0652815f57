/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* URLs of catalogs and layers. They have one of a few schemes, may be relative to
 * the catalog that contains them, and may hold credentials (user and password, or a
 * token in the query), which are meant for one host and must not be shown. Wherever
 * a URL becomes text (messages, JSON, metadata) it goes through lm_url_redact(); only
 * files of mode 0600 keep a whole URL, if it is needed to fetch again: the records of
 * sources and machines, and copies of catalogs. */
#include <glib.h>

#define LM_URL_MAX 2048

typedef enum
{
  LM_URL_ERROR_INVALID, /* not a URL, or its scheme is not file, http or https */
  LM_URL_ERROR_LOCAL,   /* refers to a local file, in a catalog that is not local */
} LmUrlError;

#define LM_URL_ERROR lm_url_error_quark ()
GQuark lm_url_error_quark (void);

/** lm_url_check_base: whether @url is absolute and has a scheme from which a
 * catalog can be fetched. Errors: LM_URL_ERROR. */
gboolean lm_url_check_base (const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_url_directory: returns @base up to the last '/' of its path, to which a plain
 * relative URL can be appended. @base must have passed lm_url_check_base(). Newly
 * allocated. */
char *lm_url_directory (const char *base);

/** lm_url_is_plain: whether @url is a relative path that consists of unreserved
 * characters and '+', without empty, "." or ".." segments. Such a URL is resolved
 * by appending it to the directory of the base (a simple case of RFC 3986 section
 * 5.2). */
gboolean lm_url_is_plain (const char *url);

/** lm_url_resolve: resolves @url, which is absolute or relative to @base, to an
 * absolute URL (RFC 3986); newly allocated. @base must have passed
 * lm_url_check_base(). The schemes file, http and https are allowed, file only if
 * @base has it too. The user and password of @base are added for its own host
 * (lm_url_inherit_credentials()). Errors: LM_URL_ERROR. */
char *lm_url_resolve (const char *base, const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_url_inherit_credentials: returns the absolute @url; if it has no user and its scheme,
 * host and port are those of @base, with the user and password of @base. Newly
 * allocated. */
char *lm_url_inherit_credentials (const char *base, const char *url);

/** lm_url_redact: returns what may be shown of @url, absolute or relative:
 * everything except user, password, query and fragment; if it cannot be parsed as a
 * URL, only its scheme and "***". Newly allocated. */
char *lm_url_redact (const char *url);

/** lm_url_is_secret: whether lm_url_redact() removes anything from @url. */
gboolean lm_url_is_secret (const char *url);

/** lm_url_redact_text: returns @text with everything in it that looks like a URL
 * passed through lm_url_redact(); newly allocated. A last resort for messages that
 * repeat what a user wrote in the wrong place: a known URL is redacted with
 * lm_url_redact() itself. */
char *lm_url_redact_text (const char *text);
