/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/size.h"
#include "base/error.h"

#include <string.h>

G_DEFINE_QUARK (lm-size-error-quark, lm_size_error)

/* Further digits after the point amount to about 1 KiB of a TiB at most. */
#define FRACTION_DIGITS 9

typedef struct
{
  guint64 whole;
  guint64 fraction; /* numerator over scale */
  guint64 scale;
} Number;

static gboolean
parse_unit (const char *text, guint64 default_unit, guint64 *out_unit)
{
  static const char letters[] = "kmgt";
  if (*text == '\0')
    return *out_unit = default_unit, TRUE;
  if (g_ascii_strcasecmp (text, "b") == 0)
    return *out_unit = 1, TRUE;
  const char *letter = strchr (letters, g_ascii_tolower (*text));
  if (letter == NULL)
    return FALSE;
  gboolean binary = text[1] == '\0' || g_ascii_strcasecmp (text + 1, "ib") == 0;
  if (!binary && g_ascii_strcasecmp (text + 1, "b") != 0)
    return FALSE;
  guint64 unit = 1;
  for (const char *l = letters; l <= letter; l++)
    unit *= binary ? 1024 : 1000;
  *out_unit = unit;
  return TRUE;
}

/* Parses digits with at most one point. Returns where the number ends; NULL if
 * there is none or it is too large. */
static const char *
parse_decimal (const char *text, Number *out)
{
  Number n = { 0, 0, 1 };
  const char *p = text;
  for (; g_ascii_isdigit (*p); p++)
    if (!g_uint64_checked_mul (&n.whole, n.whole, 10) || !g_uint64_checked_add (&n.whole, n.whole, (guint64) (*p - '0')))
      return NULL;
  if (p == text)
    return NULL;
  if (*p == '.')
    {
      const char *first = ++p;
      for (; g_ascii_isdigit (*p); p++)
        if (p - first < FRACTION_DIGITS)
          {
            n.fraction = n.fraction * 10 + (guint64) (*p - '0');
            n.scale *= 10;
          }
      if (p == first)
        return NULL;
    }
  *out = n;
  return p;
}

gboolean
lm_size_parse (const char *text, guint64 default_unit, guint64 *out_bytes, GError **error)
{
  Number number;
  guint64 unit, bytes;
  const char *end = text ? parse_decimal (text, &number) : NULL;
  if (end != NULL && *end == ' ')
    end++;
  if (end != NULL && parse_unit (end, default_unit, &unit) && g_uint64_checked_mul (&bytes, number.whole, unit))
    {
      /* unit <= 2^40 and fraction < 10^9, so this takes 128 bits */
      guint64 part = (guint64) ((unsigned __int128) number.fraction * unit / number.scale);
      if (g_uint64_checked_add (&bytes, bytes, part) && bytes <= G_MAXINT64)
        {
          *out_bytes = bytes;
          return TRUE;
        }
    }
  g_autofree char *shown = g_strndup (text ? text : "", 40);
  g_autofree char *safe = g_strescape (shown, NULL);
  return lm_throw (error, LM_SIZE_ERROR, LM_SIZE_ERROR_INVALID, "\"%s\" is not a size; use for example 512MiB or 4GiB",
                   safe);
}

guint64
lm_size_add (guint64 one, guint64 other)
{
  const guint64 max = G_MAXINT64;
  return one > max || other > max - one ? max : one + other;
}

char *
lm_size_format (guint64 bytes)
{
  static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
  if (bytes < 1024)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " B", bytes);
  double value = (double) bytes / 1024;
  guint i = 0;
  /* 1023.95 would print as 1024.0 */
  while (value >= 1023.95 && i + 1 < G_N_ELEMENTS (units))
    {
      value /= 1024;
      i++;
    }
  char number[32];
  return g_strconcat (g_ascii_formatd (number, sizeof number, "%.1f", value), " ", units[i], NULL);
}
