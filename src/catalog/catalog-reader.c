/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/catalog-reader.h"
#include "base/error.h"
#include "base/url.h"
#include "catalog/catalog-part.h"
#include "catalog/catalog.h"

#include <string.h>

/* For a smaller text a second thread is not worthwhile. */
#define SPLIT_SIZE (1 << 20)
#define MAX_WARNINGS 100
/* Nobody indents a sequence further than this. */
#define MAX_INDENT 16

static gboolean
check_groups (LmCatalogPart *part, GError **error)
{
  const char *strings = part->builder->strings->str;
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < part->builder->groups->len; i++)
    g_hash_table_add (known, (gpointer) (strings + g_array_index (part->builder->groups, LmIndexGroup, i).name));
  for (guint i = 0; i < part->builder->layers->len; i++)
    {
      const LmIndexLayer *layer = &g_array_index (part->builder->layers, LmIndexLayer, i);
      if (!g_hash_table_contains (known, strings + layer->group))
        return lm_field_throw (&part->fields, g_array_index (part->layer_lines, guint, i), error,
                               "the layer \"%s\" belongs to the group \"%s\", which is not listed in \"groups\"",
                               strings + layer->name, strings + layer->group);
    }
  return TRUE;
}

static gboolean
check_duplicates (LmCatalogPart *part, GError **error)
{
  guint32 a, b;
  LmIndexResult indexing = lm_index_builder_make_tables (part->builder, &a, &b);
  if (indexing == LM_INDEX_GOOD)
    return TRUE;
  if (indexing == LM_INDEX_TOO_MANY_COLLISIONS)
    return lm_throw (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID,
                     "%s: the hashes of too many names or digests in this catalog collide", part->fields.document);
  gboolean build = indexing == LM_INDEX_SAME_BUILD;
  GArray *lines = build ? part->build_lines : part->layer_lines;
  return lm_field_throw (&part->fields, g_array_index (lines, guint, b), error,
                         build ? "line %u has a build with the same digest"
                               : "line %u has the same version of this layer",
                         g_array_index (lines, guint, a));
}

/* ---- in two threads ---- */

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

/* Returns the line of the first item of "layers:"; NULL if that is not a block sequence. */
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

/* Finds a position near the middle of @text between two items of "layers:", if that
 * is a block sequence. The first part ends there; the second part is "layers:"
 * followed by the rest of the text. NULL if there is no such position.
 *
 * Only a little of the text is examined, so the position may be wrong. The caller
 * parses the first part as a document of its own and checks that it ends at this
 * position, with the layers as its last key. That is sufficient: inside a flow
 * collection or a quoted scalar the first part would be incomplete, and no other
 * scalar continues in a line that is not indented more than the sequence. JSON is
 * not split, because it is parsed fast enough. */
static const char *
find_middle (const char *text, gsize size)
{
  const char *end = text + size, *first = find_first_item (text, end), *middle = text + size / 2;
  if (first == NULL || first >= middle)
    return NULL;
  gsize indent = (gsize) (skip_blanks (first, end) - first);
  for (const char *line = next_line (middle, end); indent <= MAX_INDENT && line < end; line = next_line (line, end))
    if (skip_blanks (line, end) == line + indent && starts_with (line + indent, end, "- "))
      return line;
  return NULL;
}

typedef struct
{
  LmCatalogPart *part;
  const char *text, *middle, *end;
  guint lines; /* before the middle; set by the thread */
  gboolean good;
} SecondPart;

static gpointer
read_second_part (gpointer data)
{
  static const char head[] = "layers:\n";
  SecondPart *second = data;
  gsize head_size = strlen (head), size = (gsize) (second->end - second->middle);
  g_autofree char *text = g_malloc (head_size + size);
  memcpy (text, head, head_size);
  memcpy (text + head_size, second->middle, size);
  second->lines = count_lines (second->text, second->middle);
  second->good = lm_catalog_part_read (second->part, text, head_size + size, second->lines, TRUE, NULL);
  return NULL;
}

static guint
count_warnings (const LmCatalogPart *part)
{
  return part->fields.warnings ? part->fields.warnings->len : 0;
}

/* Whether the two are the parts of one catalog, as find_middle() requires. */
static gboolean
are_parts_of_one (const LmCatalogPart *first, const LmCatalogPart *second, guint line)
{
  return first->ends_with_layers && second->ends_with_layers && first->end_line == line
         && (first->name == 0 || second->name == 0)
         && first->builder->layers->len + second->builder->layers->len <= LM_CATALOG_LAYERS_MAX
         && count_warnings (first) + count_warnings (second) <= MAX_WARNINGS;
}

static void
join_parts (LmCatalogPart *first, LmCatalogPart *second)
{
  if (second->name != 0)
    first->name = (guint32) first->builder->strings->len + second->name;
  lm_index_builder_append (first->builder, second->builder);
  g_array_append_vals (first->layer_lines, second->layer_lines->data, second->layer_lines->len);
  g_array_append_vals (first->build_lines, second->build_lines->data, second->build_lines->len);
  if (first->fields.warnings != NULL)
    g_ptr_array_extend_and_steal (first->fields.warnings, g_steal_pointer (&second->fields.warnings));
}

/* Returns NULL if anything is unusual; the caller then reads the whole text in one
 * thread, which produces the right result and messages. */
static LmCatalogPart *
read_in_two_threads (const LmCatalogOrigin *origin, const char *text, gsize size, gboolean want_warnings)
{
  const char *middle = size < SPLIT_SIZE ? NULL : find_middle (text, size);
  if (middle == NULL)
    return NULL;
  g_autoptr (LmCatalogPart) first = lm_catalog_part_new (origin, want_warnings);
  g_autoptr (LmCatalogPart) rest = lm_catalog_part_new (origin, want_warnings);
  SecondPart second = { .part = rest, .text = text, .middle = middle, .end = text + size };
  GThread *thread = g_thread_try_new ("catalog", read_second_part, &second, NULL);
  if (thread == NULL)
    return NULL;
  gboolean good = lm_catalog_part_read (first, text, (gsize) (middle - text), 1, FALSE, NULL);
  g_thread_join (thread);
  if (!good || !second.good || !are_parts_of_one (first, rest, second.lines + 1))
    return NULL;
  join_parts (first, rest);
  return g_steal_pointer (&first);
}

GBytes *
lm_catalog_read (const char *requested_url, const char *base_url, LmCatalogReadFlags flags, const char *text, gsize size,
                 GPtrArray *warnings, GError **error)
{
  g_autofree char *path = g_filename_from_uri (base_url, NULL, NULL);
  g_autofree char *shown = lm_url_redact (base_url);
  const LmCatalogOrigin origin
    = { .document = path ? path : shown, .requested_url = requested_url, .base_url = base_url,
        .unbuilt = (flags & LM_CATALOG_READ_UNBUILT) != 0, .own = (flags & LM_CATALOG_READ_OWN) != 0 };
  if (!lm_url_check_base (base_url, error) || (requested_url != NULL && !lm_url_check_base (requested_url, error)))
    return NULL;
  g_autoptr (LmCatalogPart) part = read_in_two_threads (&origin, text, size, warnings != NULL);
  if (part == NULL)
    {
      part = lm_catalog_part_new (&origin, warnings != NULL);
      if (!lm_catalog_part_read (part, text, size, 1, FALSE, error))
        return NULL;
    }
  if (!check_groups (part, error) || !check_duplicates (part, error))
    return NULL;
  if (warnings != NULL)
    g_ptr_array_extend_and_steal (warnings, g_steal_pointer (&part->fields.warnings));
  guint32 base = lm_index_builder_add_string (part->builder, base_url, strlen (base_url));
  guint32 requested
    = requested_url ? lm_index_builder_add_string (part->builder, requested_url, strlen (requested_url)) : 0;
  return lm_index_builder_finish (part->builder, part->name, requested, base);
}
