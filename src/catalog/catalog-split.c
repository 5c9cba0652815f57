/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/catalog-split.h"

#include <string.h>

/* Beyond this there is no sequence that somebody wrote. */
#define MAX_INDENT 16
/* Holds at least two layers of any catalog that is worth it. */
#define WINDOW ((gsize) 256 * 1024)

static const char *
next_line (const char *line, const char *end)
{
  const char *newline = memchr (line, '\n', (gsize) (end - line));
  return newline ? newline + 1 : end;
}

static gboolean
starts_with (const char *line, const char *end, const char *prefix)
{
  gsize length = strlen (prefix);
  return (gsize) (end - line) >= length && memcmp (line, prefix, length) == 0;
}

static const char *
skip_blanks (const char *line, const char *end)
{
  while (line < end && *line == ' ')
    line++;
  return line;
}

/* The first item's line of "layers:"; NULL if it is not a block sequence. */
static const char *
find_first_item (const char *text, const char *end)
{
  const char *line = text;
  while (line < end && !starts_with (line, end, "layers:\n"))
    line = next_line (line, end);
  if (line == end)
    return NULL;
  for (line = next_line (line, end); line < end; line = next_line (line, end))
    {
      const char *content = skip_blanks (line, end);
      if (starts_with (content, end, "- "))
        return line;
      if (content < end && *content != '#' && *content != '\n')
        return NULL;
    }
  return NULL;
}

static guint
count_lines (const char *text, const char *end)
{
  guint n = 0;
  for (const char *l = text; l < end; l = next_line (l, end))
    n++;
  return n;
}

static gboolean
split_block (const char *text, gsize size, LmCatalogSplit *out)
{
  const char *end = text + size, *first = find_first_item (text, end), *middle = text + size / 2;
  if (first == NULL || first >= middle)
    return FALSE;
  gsize indent = (gsize) (skip_blanks (first, end) - first);
  if (indent > MAX_INDENT)
    return FALSE;
  for (const char *line = next_line (middle, end); line < end; line = next_line (line, end))
    {
      if (skip_blanks (line, end) != line + indent || !starts_with (line + indent, end, "- "))
        continue;
      gsize offset = (gsize) (line - text);
      guint before = count_lines (text, line);
      *out = (LmCatalogSplit) { offset, "", "layers:\n", offset, before + 1, before };
      return TRUE;
    }
  return FALSE;
}

static const char *
skip_space (const char *p, const char *end)
{
  while (p < end && strchr (" \t\r\n", *p) != NULL && *p != '\0')
    p++;
  return p;
}

/* The comma between two mappings that is the least nested of those in a window
 * of the text, which begins inside or outside of a quoted string. */
static const char *
find_outermost_comma (const char *text, const char *end, gboolean quoted)
{
  const char *found = NULL;
  int depth = 0, lowest = 1;
  for (const char *p = text; p < end; p++)
    {
      if (quoted)
        {
          if (*p == '\\')
            p++;
          else if (*p == '"')
            quoted = FALSE;
        }
      else if (*p == '"')
        quoted = TRUE;
      else if (*p == '{' || *p == '[')
        depth++;
      else if (*p == '}' || *p == ']')
        depth--;
      else if (*p == ',' && depth < lowest && p > text)
        {
          const char *next = skip_space (p + 1, end);
          if (next == end || *next != '{')
            continue;
          lowest = depth;
          found = p;
        }
    }
  return found;
}

static gboolean
split_flow (const char *text, gsize size, LmCatalogSplit *out)
{
  const char *end = text + size, *middle = text + size / 2, *stop = middle + MIN (WINDOW, size - size / 2);
  const char *comma = find_outermost_comma (middle, stop, FALSE);
  if (comma == NULL)
    comma = find_outermost_comma (middle, stop, TRUE);
  if (comma == NULL || comma + 1 == end)
    return FALSE;
  guint line = count_lines (text, comma);
  *out = (LmCatalogSplit) { (gsize) (comma - text), "]}", "{\"layers\":[", (gsize) (comma + 1 - text), line + 1, line };
  return TRUE;
}

gboolean
lm_catalog_split (const char *text, gsize size, LmCatalogSplit *out)
{
  const char *begin = skip_space (text, text + size);
  return begin < text + size && *begin == '{' ? split_flow (text, size, out) : split_block (text, size, out);
}
