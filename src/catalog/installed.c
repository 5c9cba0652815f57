/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/installed.h"

#include <string.h>

/* catalog.schema.json has the same. */
#define NAME_MAX_LENGTH 200
#define ARCH_MAX_LENGTH 32
#define VERSION_MAX_LENGTH 256

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Returns how many bytes at the beginning of @text are a word of letters, digits and @extra; 0 if it is too long. */
static gsize
count_word (const char *text, const char *all, gsize max)
{
  gsize length = strspn (text, all);
  return length <= max ? length : 0;
}

/* Returns the length of NAME or NAME:ARCH at the beginning of @text; 0 if there is none. */
static gsize
count_name (const char *text)
{
  gsize name = g_ascii_isalnum (text[0]) ? count_word (text, DIGITS LETTERS "+._-", NAME_MAX_LENGTH) : 0;
  if (name == 0 || text[name] != ':')
    return name;
  const char *arch = text + name + 1;
  gsize length = g_ascii_isalnum (arch[0]) ? count_word (arch, DIGITS LETTERS "_-", ARCH_MAX_LENGTH) : 0;
  return length > 0 ? name + 1 + length : 0;
}

gboolean
lm_installed_is_valid (const char *text)
{
  gsize name = count_name (text);
  if (name == 0 || text[name] != '=')
    return FALSE;
  const char *version = text + name + 1;
  gsize length = count_word (version, DIGITS LETTERS ".+:~^_-", VERSION_MAX_LENGTH);
  return length > 0 && version[length] == '\0';
}

gboolean
lm_installed_name_is_valid (const char *text)
{
  gsize name = count_name (text);
  return name > 0 && text[name] == '\0';
}

gsize
lm_installed_name_length (const char *text)
{
  return strcspn (text, "=");
}

/* So that the end of a name sorts before all that may be in it. */
static int
rank_byte (char c)
{
  return c == '=' ? 1 : (guchar) c;
}

int
lm_installed_compare (const char *one, const char *other)
{
  while (*one != '\0' && *one == *other)
    one++, other++;
  return rank_byte (*one) - rank_byte (*other);
}

int
lm_installed_compare_names (const char *one, const char *other)
{
  gsize a = lm_installed_name_length (one), b = lm_installed_name_length (other);
  int order = memcmp (one, other, MIN (a, b));
  return order != 0 ? order : (a > b) - (a < b);
}

guint
lm_installed_hash_name (gconstpointer text)
{
  const char *name = text;
  gsize length = lm_installed_name_length (name);
  guint hash = 5381;
  for (gsize i = 0; i < length; i++)
    hash = hash * 33 + (guchar) name[i];
  return hash;
}

gboolean
lm_installed_same_name (gconstpointer one, gconstpointer other)
{
  return lm_installed_compare_names (one, other) == 0;
}
