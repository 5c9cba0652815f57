/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/catalog-reader.h"
#include "base/error.h"
#include "base/url.h"
#include "catalog/catalog-part.h"
#include "catalog/catalog-split.h"
#include "catalog/catalog.h"

#include <string.h>

/* Below this a second thread is not worth its start. */
#define SPLIT_SIZE (1 << 20)
#define MAX_WARNINGS 100

static gboolean
check_groups (LmCatalogPart *part, GError **error)
{
  const char *strings = part->builder->strings->str;
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < part->builder->groups->len; i++)
    g_hash_table_add (known, (gpointer) (strings + g_array_index (part->builder->groups, LmPreparedGroup, i).name));
  for (guint i = 0; i < part->builder->layers->len; i++)
    {
      const LmPreparedLayer *layer = &g_array_index (part->builder->layers, LmPreparedLayer, i);
      if (!g_hash_table_contains (known, strings + layer->group))
        return lm_field_throw (&part->fields, g_array_index (part->layer_lines, guint, i), error,
                               "the layer \"%s\" is of the group \"%s\", which is not among the groups",
                               strings + layer->name, strings + layer->group);
    }
  return TRUE;
}

static gboolean
check_duplicates (LmCatalogPart *part, GError **error)
{
  guint32 a, b;
  LmPreparedIndexing indexing = lm_prepared_builder_index (part->builder, &a, &b);
  if (indexing == LM_PREPARED_INDEXED)
    return TRUE;
  if (indexing == LM_PREPARED_CROWDED)
    return lm_throw (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID,
                     "%s: names or digests in this catalog are made to collide", part->fields.document);
  gboolean build = indexing == LM_PREPARED_SAME_BUILD;
  GArray *lines = build ? part->build_lines : part->layer_lines;
  return lm_field_throw (&part->fields, g_array_index (lines, guint, b), error,
                         build ? "a build of the same digest is in line %u"
                               : "the same version of this layer is in line %u",
                         g_array_index (lines, guint, a));
}

/* ---- in two threads ---- */

typedef struct
{
  LmCatalogPart *part;
  char *text;
  gsize size;
  guint line;
  gboolean good;
} Second;

static gpointer
read_second (gpointer data)
{
  Second *second = data;
  second->good = lm_catalog_part_read (second->part, second->text, second->size, second->line, TRUE, NULL);
  return NULL;
}

static char *
join_text (const char *head, gsize head_size, const char *tail, gsize tail_size)
{
  char *text = g_malloc (head_size + tail_size);
  memcpy (text, head, head_size);
  memcpy (text + head_size, tail, tail_size);
  return text;
}

static guint
warning_count (const LmCatalogPart *part)
{
  return part->fields.warnings ? part->fields.warnings->len : 0;
}

/* Whether the two are the parts of one catalog, as catalog-split.h has it. */
static gboolean
fit_together (const LmCatalogPart *first, const LmCatalogPart *second, guint line)
{
  return first->layers_end_it && second->layers_end_it && first->end_line == line
         && (first->name == 0 || second->name == 0)
         && first->builder->layers->len + second->builder->layers->len <= LM_CATALOG_LAYERS_MAX
         && warning_count (first) + warning_count (second) <= MAX_WARNINGS;
}

static void
join (LmCatalogPart *first, LmCatalogPart *second)
{
  lm_prepared_builder_append (first->builder, second->builder);
  g_array_append_vals (first->layer_lines, second->layer_lines->data, second->layer_lines->len);
  g_array_append_vals (first->build_lines, second->build_lines->data, second->build_lines->len);
  if (first->fields.warnings != NULL)
    g_ptr_array_extend_and_steal (first->fields.warnings, g_steal_pointer (&second->fields.warnings));
}

/* NULL whenever anything is out of the ordinary: then the text is read once
 * more by one thread, whose judgement and messages count. */
static LmCatalogPart *
read_in_two (const char *document, const char *base_url, const char *text, gsize size, gboolean want_warnings)
{
  LmCatalogSplit split;
  if (size < SPLIT_SIZE || !lm_catalog_split (text, size, &split))
    return NULL;
  g_autoptr (LmCatalogPart) first = lm_catalog_part_new (document, base_url, want_warnings);
  g_autoptr (LmCatalogPart) rest = lm_catalog_part_new (document, base_url, want_warnings);
  gsize head_size = strlen (split.second_head), rest_size = size - split.second_begin;
  gsize tail_size = strlen (split.first_tail);
  g_autofree char *second_text = join_text (split.second_head, head_size, text + split.second_begin, rest_size);
  Second second = { rest, second_text, head_size + rest_size, split.second_line, FALSE };
  GThread *thread = g_thread_try_new ("catalog", read_second, &second, NULL);
  if (thread == NULL)
    return NULL;
  g_autofree char *first_text = tail_size > 0 ? join_text (text, split.first_end, split.first_tail, tail_size) : NULL;
  gboolean good = lm_catalog_part_read (first, first_text ? first_text : text, split.first_end + tail_size, 1, FALSE, NULL);
  g_thread_join (thread);
  if (!good || !second.good || !fit_together (first, rest, split.first_line))
    return NULL;
  join (first, rest);
  return g_steal_pointer (&first);
}

GBytes *
lm_catalog_read (const char *base_url, const char *text, gsize size, GPtrArray *warnings, GError **error)
{
  g_autofree char *path = g_filename_from_uri (base_url, NULL, NULL);
  g_autofree char *shown = lm_url_redact (base_url);
  const char *document = path ? path : shown;
  if (!lm_url_check_base (base_url, error))
    return NULL;
  g_autoptr (LmCatalogPart) part = read_in_two (document, base_url, text, size, warnings != NULL);
  if (part == NULL)
    {
      part = lm_catalog_part_new (document, base_url, warnings != NULL);
      if (!lm_catalog_part_read (part, text, size, 1, FALSE, error))
        return NULL;
    }
  if (!check_groups (part, error) || !check_duplicates (part, error))
    return NULL;
  if (warnings != NULL)
    g_ptr_array_extend_and_steal (warnings, g_steal_pointer (&part->fields.warnings));
  guint32 base = lm_prepared_builder_add_string (part->builder, base_url, strlen (base_url));
  return lm_prepared_builder_finish (part->builder, base);
}
