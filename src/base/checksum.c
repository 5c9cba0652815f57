/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/checksum.h"
#include "base/error.h"
#include "base/text.h"

#include <string.h>

G_DEFINE_QUARK (lm-checksum-error-quark, lm_checksum_error)

/* The first one with the name, and what else was seen on the way. */
typedef struct
{
  const char *name;
  LmChecksum found[2]; /* by kind */
  gboolean has[2];
  gboolean differs;
  guint lines;         /* that have a checksum */
  guint nameless;      /* of these, without a name */
  LmChecksum last;
} Search;

static const struct
{
  const char *prefix; /* in lower case */
  gsize size;
} kinds[] = { [LM_CHECKSUM_SHA256] = { "sha256", 32 }, [LM_CHECKSUM_SHA512] = { "sha512", 64 } };

/* Reads a checksum of exactly @length hexadecimal digits. */
static gboolean
parse_hex (const char *text, gsize length, LmChecksum *out)
{
  for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    {
      gboolean good = length == 2 * kinds[kind].size;
      for (gsize i = 0; good && i < length; i++)
        good = g_ascii_isxdigit (text[i]);
      if (!good)
        continue;
      *out = (LmChecksum){ .kind = kind };
      for (gsize i = 0; i < kinds[kind].size; i++)
        out->bytes[i] = (guint8) (g_ascii_xdigit_value (text[2 * i]) << 4 | g_ascii_xdigit_value (text[2 * i + 1]));
      return TRUE;
    }
  return FALSE;
}

/* MD5 has 32 digits, others more. */
#define DIGITS_MIN 32

gboolean
lm_checksum_is_meant (const char *text)
{
  const gsize digits = strspn (text, "0123456789abcdefABCDEF");
  const gsize word = strspn (text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
  const gboolean named = text[word] == ':' && (g_ascii_strncasecmp (text, "sha", 3) == 0 || g_ascii_strncasecmp (text, "md5", 3) == 0);
  return named || (text[digits] == '\0' && (digits == 0 || digits >= DIGITS_MIN));
}

gboolean
lm_checksum_parse (const char *text, LmChecksum *out_checksum, GError **error)
{
  LmChecksum checksum;
  if ((g_str_has_prefix (text, "sha256:") || g_str_has_prefix (text, "sha512:"))
      && parse_hex (text + 7, strlen (text + 7), &checksum) && g_str_has_prefix (text, kinds[checksum.kind].prefix))
    {
      *out_checksum = checksum;
      return TRUE;
    }
  if (parse_hex (text, strlen (text), &checksum))
    return lm_throw (error, LM_CHECKSUM_ERROR, LM_CHECKSUM_ERROR_INVALID, "a checksum must say of what kind it is; write %s:%s",
                     kinds[checksum.kind].prefix, text);
  g_autofree char *safe = lm_text_escape (text, 200);
  return lm_throw (error, LM_CHECKSUM_ERROR, LM_CHECKSUM_ERROR_INVALID,
                   "\"%s\" is not a checksum; it must be sha256: and 64 hexadecimal digits, or sha512: and 128", safe);
}

/* "SHA256 (NAME) = HASH" */
static gboolean
parse_bsd_line (const char *line, gsize length, LmChecksum *out, char **out_name)
{
  const char *end = line + length, *hash = end;
  while (hash > line && hash[-1] != ' ')
    hash--;
  if (!parse_hex (hash, (gsize) (end - hash), out))
    return FALSE;
  const char *prefix = kinds[out->kind].prefix;
  gsize width = strlen (prefix);
  if (hash - line < (gssize) width + 6 || g_ascii_strncasecmp (line, prefix, width) != 0 || memcmp (line + width, " (", 2) != 0
      || memcmp (hash - 4, ") = ", 4) != 0)
    return FALSE;
  *out_name = g_strndup (line + width + 2, (gsize) (hash - 4 - (line + width + 2)));
  return TRUE;
}

/* "HASH  NAME", "HASH *NAME", or only "HASH" */
static gboolean
parse_plain_line (const char *line, gsize length, LmChecksum *out, char **out_name)
{
  const char *end = line + length, *blank = line;
  while (blank < end && *blank != ' ')
    blank++;
  if (!parse_hex (line, (gsize) (blank - line), out))
    return FALSE;
  *out_name = NULL;
  if (end - blank > 2 && (blank[1] == ' ' || blank[1] == '*'))
    *out_name = g_strndup (blank + 2, (gsize) (end - blank - 2));
  else if (end - blank > 1)
    *out_name = g_strndup (blank + 1, (gsize) (end - blank - 1));
  return TRUE;
}

static gboolean
is_named (const char *listed, const char *name)
{
  const char *slash = strrchr (listed, '/');
  return strcmp (slash != NULL ? slash + 1 : listed, name) == 0;
}

static void
read_line (Search *search, const char *line, gsize length)
{
  g_autofree char *name = NULL;
  LmChecksum checksum;
  if (!parse_bsd_line (line, length, &checksum, &name) && !parse_plain_line (line, length, &checksum, &name))
    return;
  search->lines++;
  search->last = checksum;
  if (name == NULL)
    {
      search->nameless++;
      return;
    }
  if (!is_named (name, search->name))
    return;
  search->differs |= search->has[checksum.kind] && !lm_checksum_equal (&search->found[checksum.kind], &checksum);
  search->has[checksum.kind] = TRUE;
  search->found[checksum.kind] = checksum;
}

gboolean
lm_checksum_find (const char *text, gsize size, const char *name, const char *shown, LmChecksum *out_checksum, GError **error)
{
  Search search = { .name = name };
  for (const char *line = text, *end = text + size; line < end;)
    {
      const char *newline = memchr (line, '\n', (gsize) (end - line));
      gsize length = newline != NULL ? (gsize) (newline - line) : (gsize) (end - line);
      const char *next = newline != NULL ? newline + 1 : end;
      while (length > 0 && g_ascii_isspace (line[length - 1]))
        length--;
      read_line (&search, line, length);
      line = next;
    }
  if (!search.has[0] && !search.has[1] && search.lines == 1 && search.nameless == 1)
    {
      *out_checksum = search.last;
      return TRUE;
    }
  g_autofree char *safe = lm_text_escape (name, 200);
  if (search.differs)
    return lm_throw (error, LM_CHECKSUM_ERROR, LM_CHECKSUM_ERROR_NOT_LISTED,
                     "%s lists %s several times, with different checksums", shown, safe);
  if (!search.has[0] && !search.has[1])
    return lm_throw (error, LM_CHECKSUM_ERROR, LM_CHECKSUM_ERROR_NOT_LISTED, "%s %s %s; give the checksum itself", shown,
                     search.lines > 0 ? "does not list" : "has no SHA-256 or SHA-512 checksums, and none for", safe);
  *out_checksum = search.has[LM_CHECKSUM_SHA512] ? search.found[LM_CHECKSUM_SHA512] : search.found[LM_CHECKSUM_SHA256];
  return TRUE;
}

gboolean
lm_checksum_equal (const LmChecksum *one, const LmChecksum *other)
{
  return one->kind == other->kind && memcmp (one->bytes, other->bytes, kinds[one->kind].size) == 0;
}

char *
lm_checksum_to_string (const LmChecksum *checksum)
{
  g_autoptr (GString) text = g_string_new (kinds[checksum->kind].prefix);
  g_string_append_c (text, ':');
  for (gsize i = 0; i < kinds[checksum->kind].size; i++)
    g_string_append_printf (text, "%02x", checksum->bytes[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
