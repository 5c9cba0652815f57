/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/version.h"

#include <solv/evr.h>
#include <solv/pool.h>
#include <string.h>

int
lm_version_compare (const char *a, const char *b)
{
  /* libsolv's order depends on a pool; an empty one costs a few microseconds. Code
   * that compares many versions has a pool of its own. */
  Pool *pool = pool_create ();
  pool_setdisttype (pool, DISTTYPE_DEB);
  int order = pool_evrcmp_str (pool, a, b, EVRCMP_COMPARE);
  pool_free (pool);
  return order;
}

/* Whether @text begins with one of the words for pre-releases, as a whole word. */
static gboolean
is_prerelease_word (const char *text)
{
  static const char *const words[] = { "alpha", "beta", "rc", "preview", "pre", "dev" };
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    {
      gsize length = strlen (words[i]);
      if (g_ascii_strncasecmp (text, words[i], length) == 0 && !g_ascii_isalpha (text[length]))
        return TRUE;
    }
  return FALSE;
}

/* "1.2.3-x", but not "1.2.3-r4", and not "1.2.3-4", which may be a Debian revision */
static gboolean
is_semantic_prerelease (const char *version)
{
  const char *p = version;
  for (guint numbers = 0; numbers < 3; numbers++)
    {
      gsize digits = strspn (p, "0123456789");
      if (digits == 0 || p[digits] != (numbers < 2 ? '.' : '-'))
        return FALSE;
      p += digits + 1;
    }
  gboolean revision = p[0] == 'r' && p[1] != '\0' && p[1 + strspn (p + 1, "0123456789")] == '\0';
  return g_ascii_isalpha (*p) && !revision;
}

gboolean
lm_version_is_prerelease (const char *version)
{
  if (strchr (version, '~') != NULL || is_semantic_prerelease (version))
    return TRUE;
  for (const char *p = version; *p; p++)
    {
      const char *word = p + 1 + (p[1] == '.' || p[1] == '-');
      if (g_ascii_isdigit (*p) && is_prerelease_word (word))
        return TRUE;
    }
  return FALSE;
}

int
lm_version_compare_preference (const char *a, const char *b)
{
  int order = (int) lm_version_is_prerelease (b) - (int) lm_version_is_prerelease (a);
  return order ? order : lm_version_compare (a, b);
}
