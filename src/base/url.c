/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/url.h"
#include "base/error.h"

#include <string.h>

G_DEFINE_QUARK (lm-url-error-quark, lm_url_error)

/* Escapes stay as they are: who serves the files decides what they mean. */
#define FLAGS (G_URI_FLAGS_ENCODED | G_URI_FLAGS_SCHEME_NORMALIZE)

static GUri *
parse (const char *base, const char *url, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GUri) parent = base ? g_uri_parse (base, FLAGS, NULL) : NULL;
  /* GLib strips blanks and control bytes; here they are wrong */
  gboolean blank = strpbrk (url, " \t\r\n\\\"<>^`{|}") != NULL;
  gboolean bad = blank || *url == '\0' || strlen (url) > LM_URL_MAX;
  g_autoptr (GUri) uri = bad ? NULL : g_uri_parse_relative (parent, url, FLAGS, &local);
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
                        "\"%s\" is not a URL that can be used (file, http or https%s)", safe,
                        blank ? "; write blanks as %20" : "");
}

gboolean
lm_url_check_base (const char *url, GError **error)
{
  g_autoptr (GUri) uri = parse (NULL, url, error);
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
  g_autoptr (GUri) uri = parse (base, url, error);
  if (uri == NULL)
    return NULL;
  if (strcmp (g_uri_get_scheme (uri), "file") == 0 && g_ascii_strncasecmp (base, "file:", 5) != 0)
    {
      g_autofree char *shown = lm_url_redact (url);
      g_autofree char *safe = g_strescape (shown, NULL);
      return lm_throw_null (error, LM_URL_ERROR, LM_URL_ERROR_LOCAL,
                            "\"%s\" is a local file, which a catalog from the network cannot name", safe);
    }
  g_autofree char *absolute = g_uri_to_string (uri);
  return lm_url_inherit (base, absolute);
}

char *
lm_url_inherit (const char *base, const char *url)
{
  if (strchr (base, '@') == NULL)
    return g_strdup (url);
  g_autoptr (GUri) from = g_uri_parse (base, FLAGS, NULL);
  g_autoptr (GUri) to = g_uri_parse (url, FLAGS, NULL);
  const char *authority = strstr (url, "://");
  if (from == NULL || to == NULL || authority == NULL || g_uri_get_userinfo (from) == NULL || g_uri_get_userinfo (to) != NULL
      || strcmp (g_uri_get_scheme (from), g_uri_get_scheme (to)) != 0
      || g_ascii_strcasecmp (g_uri_get_host (from), g_uri_get_host (to)) != 0 || g_uri_get_port (from) != g_uri_get_port (to))
    return g_strdup (url);
  authority += 3;
  return g_strdup_printf ("%.*s%s@%s", (int) (authority - url), url, g_uri_get_userinfo (from), authority);
}

/* Where the host begins. A password with a "/", "?" or "#" that nobody escaped
 * ends the authority too soon: what stands there for a port is none. */
static const char *
skip_userinfo (const char *authority)
{
  gsize length = strcspn (authority, "/?#");
  const char *at = g_strrstr_len (authority, (gssize) length, "@");
  const char *colon = *authority == '[' ? NULL : memchr (authority, ':', length);
  gsize digits = colon != NULL ? strspn (colon + 1, "0123456789") : 0;
  if (at == NULL && colon != NULL && (digits == 0 || colon + 1 + digits < authority + length))
    at = strrchr (authority, '@');
  return at != NULL ? at + 1 : authority;
}

char *
lm_url_redact (const char *url)
{
  const char *authority = strstr (url, "://");
  if (authority == NULL)
    return g_strdup (url);
  authority += 3;
  const char *host = skip_userinfo (authority);
  gsize length = strcspn (host, "?#");
  return g_strdup_printf ("%.*s%.*s%s", (int) (authority - url), url, (int) length, host, host[length] == '?' ? "?***" : "");
}

gboolean
lm_url_is_secret (const char *url)
{
  if (strpbrk (url, "@?") == NULL)
    return FALSE;
  g_autofree char *shown = lm_url_redact (url);
  return strcmp (shown, url) != 0;
}
