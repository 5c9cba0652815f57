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

/* What stands where a host should. */
typedef enum
{
  AUTHORITY_HOST,    /* a host, and no user */
  AUTHORITY_PORT,    /* a host and its port, or a user and the digits that a password begins with */
  AUTHORITY_UNSOUND, /* has a user, or is broken */
} Authority;

static Authority
judge (const char *authority, gsize length)
{
  gsize name = 0;
  gboolean literal = *authority == '[';
  if (literal)
    {
      name = 1 + strspn (authority + 1, "0123456789abcdefABCDEF:.");
      if (authority[name] != ']')
        return AUTHORITY_UNSOUND;
      name++;
    }
  else
    while (name < length && (g_ascii_isalnum (authority[name]) || strchr ("-._~%", authority[name]) || (guchar) authority[name] >= 0x80))
      name++;
  if (name >= length)
    return AUTHORITY_HOST;
  if (authority[name] != ':' || name + 1 + strspn (authority + name + 1, "0123456789") != length)
    return AUTHORITY_UNSOUND;
  return literal ? AUTHORITY_HOST : AUTHORITY_PORT;
}

/* Where a user would stand; NULL: nowhere, it is a path. Scheme and slashes
 * need not be sound. */
static const char *
find_authority (const char *url)
{
  gsize colon = strcspn (url, ":/?#");
  if (url[colon] != ':')
    {
      const char *late = g_strstr_len (url, (gssize) strcspn (url, "?#"), "://");
      return g_str_has_prefix (url, "//") ? url + strspn (url, "/") : late ? late + 3 : NULL;
    }
  gsize slashes = strspn (url + colon + 1, "/");
  if (slashes == 0) /* no scheme but a user, if anything */
    return strchr (url, '@') ? url : NULL;
  if (slashes != 2 && colon == 4 && g_ascii_strncasecmp (url, "file", 4) == 0)
    return NULL;
  return url + colon + 1 + slashes;
}

/* Where the host begins; NULL: cannot be told. A "/", "?" or "#" in a password
 * that nobody escaped ends the authority too soon: then what is before the
 * last "@" is taken for the user, though it may be a path. */
static const char *
skip_userinfo (const char *authority)
{
  gsize length = strcspn (authority, "/?#");
  Authority kind = judge (authority, length);
  if (kind == AUTHORITY_HOST)
    return authority;
  gssize where = authority[length] == '/' ? (gssize) strcspn (authority, "?#") : -1;
  const char *at = g_strrstr_len (authority, where, "@");
  if (at == NULL && kind == AUTHORITY_UNSOUND)
    at = strrchr (authority, '@');
  if (at != NULL)
    return at + 1;
  return kind == AUTHORITY_UNSOUND && memchr (authority, ':', length) ? NULL : authority;
}

char *
lm_url_redact (const char *url)
{
  const char *authority = find_authority (url);
  const char *host = authority ? skip_userinfo (authority) : url;
  int prefix = authority ? (int) (authority - url) : 0;
  if (host == NULL)
    return g_strdup_printf ("%.*s***", prefix, url);
  gsize length = strcspn (host, "?#");
  return g_strdup_printf ("%.*s%.*s%s", prefix, url, (int) length, host, host[length] == '?' ? "?***" : "");
}

gboolean
lm_url_is_secret (const char *url)
{
  /* most are plain */
  if (strpbrk (url, ":@?#") == NULL)
    return FALSE;
  g_autofree char *shown = lm_url_redact (url);
  return strcmp (shown, url) != 0;
}

/* The first in @text of what looks like a URL. */
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

/* Where the URL ends that @text begins with. With a user whose password seems
 * to have a blank or quote in it, it ends after the last "@" of all. */
static const char *
end_of_url (const char *text)
{
  const char *end = end_of_word (text);
  g_autofree char *word = g_strndup (text, (gsize) (end - text));
  const char *authority = find_authority (word);
  const char *at = strrchr (end, '@');
  if (authority == NULL || at == NULL || strchr (authority, '@'))
    return end;
  gsize length = strcspn (authority, "/?#");
  Authority kind = judge (authority, length);
  gboolean torn = kind == AUTHORITY_UNSOUND || (kind == AUTHORITY_PORT && authority[length] == '\0');
  return torn ? end_of_word (at) : end;
}

char *
lm_url_redact_text (const char *text)
{
  g_autoptr (GString) shown = g_string_new (NULL);
  const char *url;
  while ((url = find_url (text)) != NULL)
    {
      /* at least the mark itself, so as to come to an end */
      const char *end = MAX (end_of_url (url), url + 1);
      g_autofree char *found = g_strndup (url, (gsize) (end - url));
      g_autofree char *public = lm_url_redact (found);
      g_string_append_len (shown, text, url - text);
      g_string_append (shown, public);
      text = end;
    }
  g_string_append (shown, text);
  return g_string_free (g_steal_pointer (&shown), FALSE);
}
