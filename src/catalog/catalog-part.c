/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/catalog-part.h"
#include "base/error.h"
#include "catalog/catalog-text.h"
#include "catalog/catalog.h"
#include "catalog/relation.h"
#include "catalog/value.h"

#include <string.h>

#define CATALOG_VERSION 1
#define MAX_ITEMS 10000 /* items of one list in a layer */
#define MAX_STRINGS (G_GUINT64_CONSTANT (1) << 30)

static const LmYamlLimits limits = { .size = 256 << 20, .scalar = 64 << 10, .depth = 16, .nodes = 50000000 };

typedef LmCatalogPart Reader;

#define FIELD(record, key, field, read, required) { key, read, G_STRUCT_OFFSET (record, field), required }

/* ---- records ---- */

static gboolean
read_parent (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmPreparedBuild *build = slot;
  build->has_parent = TRUE;
  return lm_value_read_digest (fr, event, &build->parent, error);
}

/* guint32: number of the blob */
static gboolean
read_blob (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  Reader *r = (Reader *) fr;
  static const LmField fields[] = {
    FIELD (LmPreparedBlob, "digest", digest, lm_value_read_digest, TRUE),
    FIELD (LmPreparedBlob, "size", size, lm_value_read_file_size, TRUE),
    FIELD (LmPreparedBlob, "urls", urls, lm_catalog_text_read_urls, TRUE),
    { NULL },
  };
  LmPreparedBlob blob = { 0 };
  if (!lm_field_read_mapping (fr, event, "a kernel or initrd", fields, &blob, error))
    return FALSE;
  *(guint32 *) slot = r->builder->blobs->len;
  g_array_append_val (r->builder->blobs, blob);
  return TRUE;
}

/* LmPreparedLayer */
static gboolean
read_boot (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  static const LmField fields[] = {
    FIELD (LmPreparedLayer, "kernel", kernel, read_blob, FALSE),
    FIELD (LmPreparedLayer, "initrd", initrd, read_blob, FALSE),
    FIELD (LmPreparedLayer, "cmdline", cmdline, lm_catalog_text_read_line, FALSE),
    { NULL },
  };
  return lm_field_read_mapping (fr, event, "boot", fields, slot, error);
}

/* LmPreparedLayer */
static gboolean
read_resources (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  static const LmField fields[] = {
    FIELD (LmPreparedLayer, "memory", memory, lm_value_read_amount, FALSE),
    FIELD (LmPreparedLayer, "disk", disk, lm_value_read_amount, FALSE),
    { NULL },
  };
  return lm_field_read_mapping (fr, event, "resources", fields, slot, error);
}

static gboolean
read_build (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  Reader *r = (Reader *) fr;
  static const LmField fields[] = {
    { "parent", read_parent, 0, FALSE },
    FIELD (LmPreparedBuild, "digest", digest, lm_value_read_digest, TRUE),
    FIELD (LmPreparedBuild, "size", size, lm_value_read_file_size, TRUE),
    FIELD (LmPreparedBuild, "urls", urls, lm_catalog_text_read_urls, TRUE),
    { NULL },
  };
  LmPreparedBuild build = { .layer = r->builder->layers->len };
  guint line = event->line;
  if (!lm_field_read_mapping (fr, event, "a build", fields, &build, error))
    return FALSE;
  if (build.has_parent && lm_digest_equal (&build.parent, &build.digest))
    return lm_field_throw (fr, line, error, "a build cannot be its own parent");
  g_array_append_val (r->builder->builds, build);
  g_array_append_val (r->build_lines, line);
  return TRUE;
}

/* LmPreparedSpan */
static gboolean
read_builds (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  Reader *r = (Reader *) fr;
  LmPreparedSpan *span = slot;
  guint line = event->line;
  span->first = r->builder->builds->len;
  if (!lm_field_read_list (fr, event, "builds", MAX_ITEMS, read_build, NULL, &span->n, error))
    return FALSE;
  return span->n > 0 || lm_field_throw (fr, line, error, "at least one build is needed");
}

static void
add_provides (Reader *r, const LmPreparedLayer *layer)
{
  for (guint32 i = 0; i < layer->provides.n; i++)
    {
      guint32 text = g_array_index (r->builder->lists, guint32, layer->provides.first + i);
      LmRelation relation;
      LmPreparedProvide provide = { .name = text, .layer = r->builder->layers->len };
      if (!lm_relation_parse (r->builder->strings->str + text, &relation))
        continue;
      if (relation.op != LM_RELATION_ANY)
        provide.name = lm_prepared_builder_add_common (r->builder, relation.name, strlen (relation.name));
      g_array_append_val (r->builder->provides, provide);
    }
}

static gboolean
read_layer (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  Reader *r = (Reader *) fr;
  static const LmField fields[] = {
    FIELD (LmPreparedLayer, "name", name, lm_catalog_text_read_name, TRUE),
    FIELD (LmPreparedLayer, "version", version, lm_catalog_text_read_version, TRUE),
    FIELD (LmPreparedLayer, "group", group, lm_catalog_text_read_name, TRUE),
    FIELD (LmPreparedLayer, "summary", summary, lm_catalog_text_read_line, FALSE),
    FIELD (LmPreparedLayer, "requires", requires, lm_catalog_text_read_needs, FALSE),
    FIELD (LmPreparedLayer, "builds", builds, read_builds, TRUE),
    FIELD (LmPreparedLayer, "provides", provides, lm_catalog_text_read_provides, FALSE),
    FIELD (LmPreparedLayer, "conflicts", conflicts, lm_catalog_text_read_needs, FALSE),
    FIELD (LmPreparedLayer, "osinfo", osinfo, lm_catalog_text_read_line, FALSE),
    FIELD (LmPreparedLayer, "arch", arch, lm_catalog_text_read_arch, FALSE),
    FIELD (LmPreparedLayer, "ready", ready, lm_catalog_text_read_line, FALSE),
    { "resources", read_resources, 0, FALSE },
    { "boot", read_boot, 0, FALSE },
    { NULL },
  };
  LmPreparedLayer layer = { .kernel = LM_PREPARED_NONE, .initrd = LM_PREPARED_NONE, .next = LM_PREPARED_NONE };
  guint line = event->line;
  if (!lm_field_read_mapping (fr, event, "a layer", fields, &layer, error))
    return FALSE;
  if (r->builder->strings->len > MAX_STRINGS)
    return lm_field_throw (fr, line, error, "this catalog is too large");
  add_provides (r, &layer);
  g_array_append_val (r->builder->layers, layer);
  g_array_append_val (r->layer_lines, line);
  return TRUE;
}

static gboolean
read_layers (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  Reader *r = (Reader *) fr;
  if (!lm_field_read_list (fr, event, "layers", LM_CATALOG_LAYERS_MAX, read_layer, NULL, NULL, error))
    return FALSE;
  r->nodes_to_layers = lm_yaml_reader_get_nodes (fr->yaml);
  return TRUE;
}

/* In the rest of a catalog: the one key that may come right after the layers. */
static gboolean
read_last_name (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  Reader *r = (Reader *) fr;
  if (!lm_catalog_text_read_name (fr, event, slot, error))
    return FALSE;
  guint nodes = lm_yaml_reader_get_nodes (fr->yaml);
  if (nodes == r->nodes_to_layers + 2)
    r->nodes_to_layers = nodes;
  return TRUE;
}

static gboolean
read_group (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  Reader *r = (Reader *) fr;
  static const LmField fields[] = {
    FIELD (LmPreparedGroup, "name", name, lm_catalog_text_read_name, TRUE),
    FIELD (LmPreparedGroup, "title", title, lm_catalog_text_read_line, FALSE),
    FIELD (LmPreparedGroup, "required", required, lm_value_read_flag, FALSE),
    FIELD (LmPreparedGroup, "multiple", multiple, lm_value_read_flag, FALSE),
    { NULL },
  };
  LmPreparedGroup group = { 0 };
  guint line = event->line;
  if (!lm_field_read_mapping (fr, event, "a group", fields, &group, error))
    return FALSE;
  const char *strings = r->builder->strings->str;
  for (guint i = 0; i < r->builder->groups->len; i++)
    if (strcmp (strings + g_array_index (r->builder->groups, LmPreparedGroup, i).name, strings + group.name) == 0)
      return lm_field_throw (fr, line, error, "the group \"%s\" is given twice", strings + group.name);
  g_array_append_val (r->builder->groups, group);
  return TRUE;
}

static gboolean
read_groups (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  return lm_field_read_list (fr, event, "groups", 1000, read_group, NULL, NULL, error);
}

static gboolean
read_catalog_version (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  gint64 value;
  if (!lm_field_expect (fr, event, LM_YAML_INT, "a whole number", error))
    return FALSE;
  if (lm_yaml_int_value (event->text, &value) && value == CATALOG_VERSION)
    return TRUE;
  return lm_throw (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_UNSUPPORTED,
                   "%s:%u: this is a catalog of version %s, and this lamina reads version %d", fr->document, event->line,
                   event->text, CATALOG_VERSION);
}

/* ---- the whole part ---- */

LmCatalogPart *
lm_catalog_part_new (const char *document, const char *base_url, gboolean want_warnings)
{
  LmCatalogPart *part = g_new0 (LmCatalogPart, 1);
  part->fields.document = document;
  part->fields.warnings = want_warnings ? g_ptr_array_new_with_free_func (g_free) : NULL;
  part->base_url = base_url;
  part->builder = lm_prepared_builder_new ();
  part->layer_lines = g_array_new (FALSE, FALSE, sizeof (guint));
  part->build_lines = g_array_new (FALSE, FALSE, sizeof (guint));
  return part;
}

void
lm_catalog_part_free (LmCatalogPart *part)
{
  if (part == NULL)
    return;
  g_clear_pointer (&part->fields.warnings, g_ptr_array_unref);
  lm_prepared_builder_free (part->builder);
  g_array_unref (part->layer_lines);
  g_array_unref (part->build_lines);
  g_free (part->known_prefix);
  g_free (part);
}

gboolean
lm_catalog_part_read (LmCatalogPart *part, const char *text, gsize size, guint first_line, gboolean rest, GError **error)
{
  static const LmField whole[] = {
    { "lamina-catalog", read_catalog_version, 0, TRUE },
    FIELD (Reader, "name", name, lm_catalog_text_read_name, FALSE),
    { "groups", read_groups, 0, FALSE },
    { "layers", read_layers, 0, TRUE },
    { NULL },
  };
  static const LmField last[] = {
    { "layers", read_layers, 0, TRUE },
    FIELD (Reader, "name", name, read_last_name, FALSE),
    { NULL },
  };
  LmYamlEvent event = { 0 };
  LmFieldReader *fr = &part->fields;
  g_autoptr (LmYamlReader) yaml = lm_yaml_reader_new (fr->document, text, size, &limits);
  lm_yaml_reader_set_first_line (yaml, first_line);
  fr->yaml = yaml;
  gboolean good = lm_yaml_reader_next (yaml, &event, error)
                  && lm_field_read_mapping (fr, &event, "a catalog", rest ? last : whole, part, error)
                  && lm_yaml_reader_next (yaml, &event, error);
  fr->yaml = NULL;
  part->end_line = event.line;
  part->layers_end_it = good && lm_yaml_reader_get_nodes (yaml) == part->nodes_to_layers;
  return good;
}
