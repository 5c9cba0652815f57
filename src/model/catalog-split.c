/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "model/catalog-split.h"

#include <string.h>

/* Beyond this there is no sequence that somebody wrote. */
#define MAX_INDENT 16

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

gboolean
lm_catalog_split (const char *text, gsize size, LmCatalogSplit *out)
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
      out->offset = (gsize) (line - text);
      out->line = 1;
      for (const char *l = text; l < line; l = next_line (l, end))
        out->line++;
      return TRUE;
    }
  return FALSE;
}
