/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/text.h"

#include <string.h>

gsize
lm_text_count_mark (const char *text, gsize size)
{
  static const char mark[] = "\xef\xbb\xbf";
  gsize length = strlen (mark);
  return size >= length && memcmp (text, mark, length) == 0 ? length : 0;
}

GBytes *
lm_text_normalize (GBytes *bytes)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  gsize mark = lm_text_count_mark (data, size);
  if (mark > 0)
    return g_bytes_new_from_bytes (bytes, mark, size - mark);
  const char *from = size < 2 || size % 2 != 0           ? NULL
                     : memcmp (data, "\xff\xfe", 2) == 0 ? "UTF-16LE"
                     : memcmp (data, "\xfe\xff", 2) == 0 ? "UTF-16BE"
                                                         : NULL;
  gsize length;
  char *text = from ? g_convert (data + 2, (gssize) size - 2, "UTF-8", from, NULL, &length, NULL) : NULL;
  return text ? g_bytes_new_take (text, length) : g_bytes_ref (bytes);
}

static gboolean
is_printable (gunichar c)
{
  if (c == 0x200c || c == 0x200d)
    return TRUE;
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_SURROGATE:
      return FALSE;
    default:
      return TRUE;
    }
}

const char *
lm_text_find_unprintable (const char *text)
{
  const char *p = text;
  while (*p != '\0')
    {
      if (*p >= ' ' && *p <= '~')
        p++;
      else if ((guint8) *p < 0x80 || !is_printable (g_utf8_get_char (p)))
        return p;
      else
        p = g_utf8_next_char (p);
    }
  return NULL;
}

int
lm_text_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

gboolean
lm_text_is_word (const char *text, const char *extra, gsize max)
{
  gsize length = strlen (text);
  if (length == 0 || length > max || !g_ascii_isalnum (text[0]))
    return FALSE;
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr (extra, *c) == NULL)
      return FALSE;
  return TRUE;
}

char *
lm_text_escape (const char *text, gsize max)
{
  char high[129] = "";
  gsize size = strnlen (text, max);
  /* Not in the middle of a character. */
  if (g_utf8_validate (text, -1, NULL))
    {
      for (guint i = 0; i < 128; i++)
        high[i] = (char) (0x80 + i);
      while (size > 0 && ((guint8) text[size] & 0xc0) == 0x80)
        size--;
    }
  g_autofree char *start = g_strndup (text, size);
  return g_strescape (start, high);
}
