/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/url.h"
#include "base/error.h"

#include <string.h>

G_DEFINE_QUARK (lm-url-error-quark, lm_url_error)

/* Percent-encoding is kept: the server decides what it means. */
#define URI_FLAGS (G_URI_FLAGS_ENCODED | G_URI_FLAGS_SCHEME_NORMALIZE)

/* GLib strips the blanks among these; here they are an error. */
#define FORBIDDEN " \t\r\n\\\"<>^`{|}"

static GUri *
parse_url (const char *base, const char *url, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GUri) parent = base ? g_uri_parse (base, URI_FLAGS, NULL) : NULL;
  gboolean blank = strpbrk (url, FORBIDDEN) != NULL;
  gboolean bad = blank || *url == '\0' || strlen (url) > LM_URL_MAX;
  g_autoptr (GUri) uri = bad ? NULL : g_uri_parse_relative (parent, url, URI_FLAGS, &local);
  if (uri != NULL)
    {
      const char *scheme = g_uri_get_scheme (uri), *host = g_uri_get_host (uri);
      gboolean has_host = host != NULL && *host != '\0';
      if (strcmp (scheme, "file") == 0 && (!has_host || strcmp (host, "localhost") == 0) && *g_uri_get_path (uri) == '/')
        return g_steal_pointer (&uri);
      if ((strcmp (scheme, "http") == 0 || strcmp (scheme, "https") == 0) && has_host)
        return g_steal_pointer (&uri);
    }
  g_autofree char *public = lm_url_redact (url);
  g_autofree char *shown = g_strndup (public, 200);
  g_autofree char *safe = g_strescape (shown, NULL);
  return lm_throw_null (error, LM_URL_ERROR, LM_URL_ERROR_INVALID,
                        "\"%s\" is not a usable URL (file, http or https%s)", safe,
                        blank ? "; encode spaces as %20" : "");
}

gboolean
lm_url_check_base (const char *url, GError **error)
{
  g_autoptr (GUri) uri = parse_url (NULL, url, error);
  return uri != NULL;
}

char *
lm_url_directory (const char *base)
{
  gsize length = strcspn (base, "?#");
  const char *path = strstr (base, "://");
  path = path ? strchr (path + 3, '/') : NULL;
  if (path == NULL || path >= base + length)
    return g_strdup_printf ("%.*s/", (int) length, base);
  while (base[length - 1] != '/')
    length--;
  return g_strndup (base, length);
}

gboolean
lm_url_is_plain (const char *url)
{
  const char *segment = url;
  for (const char *p = url;; p++)
    {
      if (g_ascii_isalnum (*p) || *p == '-' || *p == '_' || *p == '~' || *p == '+' || *p == '.')
        continue;
      if (*p != '/' && *p != '\0')
        return FALSE;
      /* empty, "." and ".." */
      if (p == segment || (segment[0] == '.' && (p == segment + 1 || (segment[1] == '.' && p == segment + 2))))
        return FALSE;
      if (*p == '\0')
        return p - url <= LM_URL_MAX;
      segment = p + 1;
    }
}

char *
lm_url_resolve (const char *base, const char *url, GError **error)
{
  g_autoptr (GUri) uri = parse_url (base, url, error);
  if (uri == NULL)
    return NULL;
  if (strcmp (g_uri_get_scheme (uri), "file") == 0 && g_ascii_strncasecmp (base, "file:", 5) != 0)
    {
      g_autofree char *shown = lm_url_redact (url);
      g_autofree char *safe = g_strescape (shown, NULL);
      return lm_throw_null (error, LM_URL_ERROR, LM_URL_ERROR_LOCAL,
                            "\"%s\" is a local file; a catalog from the network must not refer to one", safe);
    }
  g_autofree char *absolute = g_uri_to_string (uri);
  return lm_url_inherit_credentials (base, absolute);
}

char *
lm_url_inherit_credentials (const char *base, const char *url)
{
  if (strchr (base, '@') == NULL)
    return g_strdup (url);
  g_autoptr (GUri) from = g_uri_parse (base, URI_FLAGS, NULL);
  g_autoptr (GUri) to = g_uri_parse (url, URI_FLAGS, NULL);
  const char *authority = strstr (url, "://");
  if (from == NULL || to == NULL || authority == NULL || g_uri_get_userinfo (from) == NULL || g_uri_get_userinfo (to) != NULL
      || strcmp (g_uri_get_scheme (from), g_uri_get_scheme (to)) != 0
      || g_ascii_strcasecmp (g_uri_get_host (from), g_uri_get_host (to)) != 0 || g_uri_get_port (from) != g_uri_get_port (to))
    return g_strdup (url);
  authority += 3;
  return g_strdup_printf ("%.*s%s@%s", (int) (authority - url), url, g_uri_get_userinfo (from), authority);
}

/* Keeps nothing but the scheme. */
static char *
redact_all (const char *url)
{
  g_autofree char *scheme = g_uri_parse_scheme (url);
  if (scheme == NULL)
    return g_strdup ("***");
  return g_strdup_printf ("%s%s***", scheme, g_str_has_prefix (url + strlen (scheme), "://") ? "://" : ":");
}

/* Whether @url is a relative URL or a path, neither of which can hold a user. */
static gboolean
is_relative (const char *url)
{
  g_autofree char *scheme = g_uri_parse_scheme (url);
  return scheme == NULL && !g_str_has_prefix (url, "//") && strstr (url, "://") == NULL && (*url == '/' || strchr (url, '@') == NULL);
}

/* Whether every program that reads @url finds the same host in it. */
static gboolean
is_unambiguous (GUri *uri, const char *url)
{
  if (uri == NULL || strpbrk (url, FORBIDDEN) != NULL)
    return FALSE;
  const char *host = g_uri_get_host (uri);
  /* Without a host, text before an '@' may be a user whose host is misplaced; in a
   * file URL it is part of the path. */
  if (host == NULL || *host == '\0')
    return strcmp (g_uri_get_scheme (uri), "file") == 0 || strchr (url, '@') == NULL;
  return strchr (host, '@') == NULL;
}

static char *
redact_url (const char *url, gboolean *out_sound)
{
  *out_sound = TRUE;
  if (is_relative (url))
    return g_strndup (url, strcspn (url, "?#"));
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_ENCODED, NULL);
  *out_sound = is_unambiguous (uri, url);
  return *out_sound ? g_uri_to_string_partial (uri, G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY | G_URI_HIDE_FRAGMENT) : redact_all (url);
}

char *
lm_url_redact (const char *url)
{
  gboolean sound;
  return redact_url (url, &sound);
}

gboolean
lm_url_is_secret (const char *url)
{
  /* the common case, without parsing */
  if (strpbrk (url, "@?#") == NULL)
    return FALSE;
  g_autofree char *shown = lm_url_redact (url);
  return strcmp (shown, url) != 0;
}

/* Returns the first thing in @text that looks like a URL. */
static const char *
find_url (const char *text)
{
  for (const char *p = text; *p; p++)
    {
      if (p[0] == '/' && p[1] == '/' && (p == text || strchr (" \t\r\n\"'=(<", p[-1])))
        return p;
      if (p[0] != ':' || p[1] != '/')
        continue;
      while (p > text && (g_ascii_isalnum (p[-1]) || strchr ("+-.", p[-1])))
        p--;
      return p;
    }
  return NULL;
}

static const char *
end_of_word (const char *word)
{
  const char *end = word + strcspn (word, " \t\r\n\"'<>");
  while (end > word && strchr (":;,.)", end[-1]))
    end--;
  return end;
}

char *
lm_url_redact_text (const char *text)
{
  g_autoptr (GString) shown = g_string_new (NULL);
  const char *url;
  while ((url = find_url (text)) != NULL)
    {
      gboolean sound;
      /* always advance, so that the loop ends */
      const char *end = MAX (end_of_word (url), url + 1);
      g_autofree char *found = g_strndup (url, (gsize) (end - url));
      g_autofree char *public = redact_url (found, &sound);
      /* A password may contain blanks and quotes. */
      const char *at = sound ? NULL : strrchr (end, '@');
      g_string_append_len (shown, text, url - text);
      g_string_append (shown, public);
      text = at ? end_of_word (at) : end;
    }
  g_string_append (shown, text);
  return g_string_free (g_steal_pointer (&shown), FALSE);
}
