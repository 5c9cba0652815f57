/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/catalog-part.h"
#include "base/error.h"
#include "base/text.h"
#include "base/url.h"
#include "catalog/catalog.h"
#include "catalog/installed.h"
#include "catalog/relation.h"
#include "catalog/selection.h"

#include <string.h>

#define CATALOG_VERSION 1
#define MAX_TEXT 1024
#define MAX_NAMES 10000
#define MAX_URLS 64
#define MAX_PACKAGES 20000
#define MAX_ITEMS 10000 /* in one list of a layer */
#define MAX_STRINGS (G_GUINT64_CONSTANT (1) << 30)

static const LmYamlLimits limits = { .size = 256 << 20, .scalar = 64 << 10, .depth = 16, .nodes = 50000000 };

#define FIELD(record, key, field, read, required) { key, read, G_STRUCT_OFFSET (record, field), required }

/* ---- strings ---- */

/* All are LmFieldFuncs; their reader is an LmCatalogPart. The slot of a string is a
 * guint32, its offset. */

static gboolean
read_checked_string (LmFieldReader *fr, const LmYamlEvent *event, gboolean (*is_valid) (const char *), const char *what,
                     gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  if (!lm_field_expect_string (fr, event, error))
    return FALSE;
  if (!is_valid (event->text))
    return lm_field_throw_not (fr, event, what, error);
  *(guint32 *) slot = lm_index_builder_add_common (r->builder, event->text, event->length);
  return TRUE;
}

static gboolean
read_name (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  return read_checked_string (fr, event, lm_name_is_valid,
                              "a name (lower-case letters, digits and + . _ -, at most " G_STRINGIFY (LM_NAME_MAX) ")",
                              slot, error);
}

static gboolean
read_version (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  return read_checked_string (fr, event, lm_version_is_valid,
                              "a version (letters, digits and . + ~ : -, at most " G_STRINGIFY (LM_VERSION_MAX) ")", slot,
                              error);
}

/* As in the machine field of uname(2). */
static gboolean
is_arch (const char *text)
{
  gsize good = strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789_");
  return good > 0 && good <= 32 && text[good] == '\0';
}

static gboolean
read_arch (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  return read_checked_string (fr, event, is_arch, "an architecture, such as x86_64 or aarch64", slot, error);
}

/* Text that will be displayed or become part of XML: short, a single line, printable. */
static gboolean
read_line (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  if (!lm_field_expect_string (fr, event, error))
    return FALSE;
  if (event->length > MAX_TEXT)
    return lm_field_throw (fr, event->line, error, "this text is longer than %d bytes", MAX_TEXT);
  const char *bad = lm_text_find_unprintable (event->text);
  if (bad != NULL && *bad == '\n')
    return lm_field_throw (fr, event->line, error, "this text must be a single line");
  if (bad != NULL)
    return lm_field_throw (fr, event->line, error, "the control character U+%04X is not allowed here", g_utf8_get_char (bad));
  *(guint32 *) slot = lm_index_builder_add_common (r->builder, event->text, event->length);
  return TRUE;
}

static void
add_to_list (LmCatalogPart *r, guint32 string)
{
  g_array_append_val (r->builder->lists, string);
}

static gboolean
read_relation (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  LmRelation relation;
  gboolean exact = GPOINTER_TO_INT (slot);
  if (!lm_field_expect_string (fr, event, error))
    return FALSE;
  if (!lm_relation_parse (event->text, &relation)
      || (exact && relation.op != LM_RELATION_ANY && relation.op != LM_RELATION_EQUAL))
    return lm_field_throw_not (fr, event,
                            exact ? "\"name\" or \"name = version\"" : "\"name\" or \"name >= version\" (or < <= = >)", error);
  add_to_list (r, lm_index_builder_add_common (r->builder, event->text, event->length));
  return TRUE;
}

static gboolean
read_relations (LmCatalogPart *r, const LmYamlEvent *event, LmIndexSpan *span, gboolean exact, GError **error)
{
  span->first = r->builder->lists->len;
  if (!lm_field_read_list (&r->fields, event, "names", MAX_NAMES, read_relation, GINT_TO_POINTER (exact), NULL, error))
    return FALSE;
  span->n = r->builder->lists->len - span->first;
  return TRUE;
}

static gboolean
read_needs (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  return read_relations (r, event, slot, FALSE, error);
}

static gboolean
read_provides (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  return read_relations (r, event, slot, TRUE, error);
}

/* Whether @text has the prefix of the last absolute URL that was accepted, followed
 * by a plain relative URL. Makes the check of a hundred thousand mirrors fast. */
static gboolean
is_known_url (LmCatalogPart *r, const char *text)
{
  gsize length = r->known_prefix ? strlen (r->known_prefix) : 0;
  return length > 0 && strncmp (text, r->known_prefix, length) == 0 && lm_url_is_plain (text + length)
         && strlen (text) <= LM_URL_MAX;
}

static void
add_url (LmCatalogPart *r, const char *url)
{
  add_to_list (r, lm_index_builder_add_string (r->builder, url, strlen (url)));
}

/* Adds the absolute URLs that @text stands for: relative to where the catalog was
 * requested, and relative to where it came from. *out_url is the latter. */
static gboolean
add_resolved (LmCatalogPart *r, const char *text, char **out_url, GError **error)
{
  const char *base = r->origin->base_url, *requested = r->origin->requested_url ? r->origin->requested_url : base;
  g_autofree char *beside_base = lm_url_resolve (base, text, error);
  g_autofree char *beside_requested = beside_base != NULL ? lm_url_resolve (requested, text, error) : NULL;
  if (beside_requested == NULL)
    return FALSE;
  /* each with the credentials that the other has for its host */
  g_autofree char *first = lm_url_inherit_credentials (base, beside_requested);
  g_autofree char *second = lm_url_inherit_credentials (requested, beside_base);
  if (strcmp (first, second) != 0)
    add_url (r, first);
  add_url (r, second);
  *out_url = g_steal_pointer (&second);
  return TRUE;
}

static gboolean
read_url (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  g_autoptr (GError) local = NULL;
  if (!lm_field_expect_string (fr, event, error))
    return FALSE;
  if (lm_url_is_plain (event->text) || is_known_url (r, event->text))
    {
      add_url (r, event->text);
      return TRUE;
    }
  g_autofree char *url = NULL;
  if (!add_resolved (r, event->text, &url, &local))
    return lm_field_throw (fr, event->line, error, "%s", local->message);
  if (strcmp (url, event->text) == 0 && strpbrk (url, "?#") == NULL)
    {
      g_free (r->known_prefix);
      r->known_prefix = lm_url_directory (url);
    }
  return TRUE;
}

/* The slot is an LmIndexSpan of lists. A URL that cannot simply be appended to a
 * directory is stored as an absolute one. */
static gboolean
read_urls (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  LmIndexSpan *span = slot;
  guint line = event->line, n;
  span->first = r->builder->lists->len;
  if (!lm_field_read_list (fr, event, "URLs", MAX_URLS, read_url, NULL, &n, error))
    return FALSE;
  span->n = r->builder->lists->len - span->first;
  return n > 0 || lm_field_throw (fr, line, error, "at least one URL is required");
}

/* ---- records ---- */

/* The slot is a guint32, the number of the blob. */
static gboolean
read_blob (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  static const LmField fields[] = {
    FIELD (LmIndexBlob, "digest", digest, lm_field_read_digest, TRUE),
    FIELD (LmIndexBlob, "size", size, lm_field_read_file_size, TRUE),
    FIELD (LmIndexBlob, "urls", urls, read_urls, TRUE),
    { NULL },
  };
  LmIndexBlob blob = { 0 };
  if (!lm_field_read_mapping (fr, event, "a kernel or initrd", fields, &blob, error))
    return FALSE;
  *(guint32 *) slot = r->builder->blobs->len;
  g_array_append_val (r->builder->blobs, blob);
  return TRUE;
}

/* LmIndexLayer */
static gboolean
read_boot (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  static const LmField fields[] = {
    FIELD (LmIndexLayer, "kernel", kernel, read_blob, FALSE),
    FIELD (LmIndexLayer, "initrd", initrd, read_blob, FALSE),
    FIELD (LmIndexLayer, "cmdline", cmdline, read_line, FALSE),
    { NULL },
  };
  return lm_field_read_mapping (fr, event, "boot", fields, slot, error);
}

/* LmIndexLayer */
static gboolean
read_resources (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  static const LmField fields[] = {
    FIELD (LmIndexLayer, "memory", memory, lm_field_read_amount, FALSE),
    FIELD (LmIndexLayer, "disk", disk, lm_field_read_amount, FALSE),
    { NULL },
  };
  return lm_field_read_mapping (fr, event, "resources", fields, slot, error);
}

/* The fields of a build. */
typedef struct
{
  LmIndexBuild build;
  LmIndexContents contents;
  gboolean has_removed;
} LmNewBuild;

/* Returns "a build of "NAME"" for a message, without the name if that comes only later; newly allocated. */
static char *
describe_build (const LmCatalogPart *r)
{
  if (r->layer == NULL || r->layer->name == 0)
    return g_strdup ("a build");
  return g_strdup_printf ("a build of \"%s\"", r->builder->strings->str + r->layer->name);
}

/* Reads an item of the list @key of a build. */
static gboolean
read_item (LmFieldReader *fr, const LmYamlEvent *event, const char *key, const char *wanted,
           gboolean (*is_valid) (const char *), GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  if (event->kind == LM_YAML_SCALAR && lm_yaml_type_of (event->text, event->plain) == LM_YAML_STRING && is_valid (event->text))
    {
      add_to_list (r, lm_index_builder_add_common (r->builder, event->text, event->length));
      return TRUE;
    }
  g_autofree char *build = describe_build (r);
  g_autofree char *what = g_strdup_printf ("%s in \"%s\" of %s", wanted, key, build);
  return lm_field_expect (fr, event, LM_YAML_STRING, what, error) && lm_field_throw_not (fr, event, what, error);
}

static gboolean
read_package (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  return read_item (fr, event, "packages", "NAME=VERSION or NAME:ARCH=VERSION", lm_installed_is_valid, error);
}

static gboolean
read_removed_name (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  return read_item (fr, event, "removed", "NAME or NAME:ARCH", lm_installed_name_is_valid, error);
}

static gboolean
read_items (LmCatalogPart *r, const LmYamlEvent *event, const char *key, LmFieldFunc read, LmIndexSpan *span, GError **error)
{
  g_autofree char *build = describe_build (r);
  g_autofree char *what = g_strdup_printf ("\"%s\" of %s", key, build);
  span->first = r->builder->lists->len;
  if (!lm_field_read_list (&r->fields, event, what, MAX_PACKAGES, read, NULL, NULL, error))
    return FALSE;
  span->n = r->builder->lists->len - span->first;
  return TRUE;
}

/* The slots of these four are LmNewBuild. */
static gboolean
read_packages (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmNewBuild *new = slot;
  new->contents.has_packages = TRUE;
  return read_items ((LmCatalogPart *) fr, event, "packages", read_package, &new->contents.packages, error);
}

static gboolean
read_removed (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmNewBuild *new = slot;
  new->has_removed = TRUE;
  return read_items ((LmCatalogPart *) fr, event, "removed", read_removed_name, &new->contents.removed, error);
}

static gboolean
read_parent (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmNewBuild *new = slot;
  new->build.has_parent = TRUE;
  return lm_field_read_digest (fr, event, &new->build.parent, error);
}

static gboolean
read_lock (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmNewBuild *new = slot;
  new->contents.has_lock = TRUE;
  return lm_field_read_digest (fr, event, &new->contents.lock, error);
}

static gboolean
read_build (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  static const LmField fields[] = {
    { "parent", read_parent, 0, FALSE },
    FIELD (LmNewBuild, "digest", build.digest, lm_field_read_digest, TRUE),
    FIELD (LmNewBuild, "size", build.size, lm_field_read_file_size, TRUE),
    FIELD (LmNewBuild, "urls", build.urls, read_urls, TRUE),
    { "packages", read_packages, 0, FALSE },
    { "removed", read_removed, 0, FALSE },
    { "lock", read_lock, 0, FALSE },
    { NULL },
  };
  LmNewBuild new = { .build.layer = r->builder->layers->len };
  guint line = event->line;
  if (!lm_field_read_mapping (fr, event, "a build", fields, &new, error))
    return FALSE;
  if (new.build.has_parent && lm_digest_equal (&new.build.parent, &new.build.digest))
    return lm_field_throw (fr, line, error, "a build cannot be its own parent");
  if (new.has_removed && (!new.build.has_parent || !new.contents.has_packages))
    {
      g_autofree char *what = describe_build (r);
      return lm_field_throw (fr, line, error, "%s with \"removed\" must have \"parent\" and \"packages\"", what);
    }
  if (new.contents.has_packages || new.contents.has_lock)
    {
      g_array_append_val (r->builder->contents, new.contents);
      new.build.contents = r->builder->contents->len;
    }
  g_array_append_val (r->builder->builds, new.build);
  g_array_append_val (r->build_lines, line);
  return TRUE;
}

/* The slot is an LmIndexSpan. */
static gboolean
read_builds (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  LmIndexSpan *span = slot;
  guint line = event->line;
  span->first = r->builder->builds->len;
  if (!lm_field_read_list (fr, event, "builds", MAX_ITEMS, read_build, NULL, &span->n, error))
    return FALSE;
  return span->n > 0 || r->origin->unbuilt || lm_field_throw (fr, line, error, "at least one build is required");
}

static void
add_provides (LmCatalogPart *r, const LmIndexLayer *layer)
{
  for (guint32 i = 0; i < layer->provides.n; i++)
    {
      guint32 text = g_array_index (r->builder->lists, guint32, layer->provides.first + i);
      LmRelation relation;
      LmIndexProvide provide = { .name = text, .layer = r->builder->layers->len };
      if (!lm_relation_parse (r->builder->strings->str + text, &relation))
        continue;
      if (relation.op != LM_RELATION_ANY)
        provide.name = lm_index_builder_add_common (r->builder, relation.name, strlen (relation.name));
      g_array_append_val (r->builder->provides, provide);
    }
}

static gboolean
read_layer (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  static const LmField fields[] = {
    FIELD (LmIndexLayer, "name", name, read_name, TRUE),
    FIELD (LmIndexLayer, "version", version, read_version, TRUE),
    FIELD (LmIndexLayer, "group", group, read_name, TRUE),
    FIELD (LmIndexLayer, "summary", summary, read_line, FALSE),
    FIELD (LmIndexLayer, "requires", requires, read_needs, FALSE),
    FIELD (LmIndexLayer, "builds", builds, read_builds, TRUE),
    FIELD (LmIndexLayer, "provides", provides, read_provides, FALSE),
    FIELD (LmIndexLayer, "conflicts", conflicts, read_needs, FALSE),
    FIELD (LmIndexLayer, "osinfo", osinfo, read_line, FALSE),
    FIELD (LmIndexLayer, "arch", arch, read_arch, FALSE),
    FIELD (LmIndexLayer, "ready", ready, read_line, FALSE),
    FIELD (LmIndexLayer, "origin", origin, read_line, FALSE),
    { "resources", read_resources, 0, FALSE },
    { "boot", read_boot, 0, FALSE },
    { NULL },
  };
  LmIndexLayer layer = { .kernel = LM_INDEX_NONE, .initrd = LM_INDEX_NONE, .next = LM_INDEX_NONE };
  guint line = event->line;
  r->layer = &layer;
  gboolean good = lm_field_read_mapping (fr, event, "a layer", fields, &layer, error);
  r->layer = NULL;
  if (!good)
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
  LmCatalogPart *r = (LmCatalogPart *) fr;
  if (!lm_field_read_list (fr, event, "layers", LM_CATALOG_LAYERS_MAX, read_layer, NULL, NULL, error))
    return FALSE;
  r->nodes_to_layers = lm_yaml_reader_get_nodes (fr->yaml);
  return TRUE;
}

/* In a continuation: the only key that may follow the layers. */
static gboolean
read_last_name (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  if (!read_name (fr, event, slot, error))
    return FALSE;
  guint nodes = lm_yaml_reader_get_nodes (fr->yaml);
  if (nodes == r->nodes_to_layers + 2)
    r->nodes_to_layers = nodes;
  return TRUE;
}

static gboolean
read_group (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  static const LmField fields[] = {
    FIELD (LmIndexGroup, "name", name, read_name, TRUE),
    FIELD (LmIndexGroup, "title", title, read_line, FALSE),
    FIELD (LmIndexGroup, "required", required, lm_field_read_flag, FALSE),
    FIELD (LmIndexGroup, "multiple", multiple, lm_field_read_flag, FALSE),
    { NULL },
  };
  LmIndexGroup group = { 0 };
  guint line = event->line;
  if (!lm_field_read_mapping (fr, event, "a group", fields, &group, error))
    return FALSE;
  const char *strings = r->builder->strings->str;
  for (guint i = 0; i < r->builder->groups->len; i++)
    if (strcmp (strings + g_array_index (r->builder->groups, LmIndexGroup, i).name, strings + group.name) == 0)
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
                   "%s:%u: the catalog has version %s, but this lamina reads version %d", fr->document, event->line,
                   event->text, CATALOG_VERSION);
}

/* ---- the whole part ---- */

LmCatalogPart *
lm_catalog_part_new (const LmCatalogOrigin *origin, gboolean want_warnings)
{
  LmCatalogPart *part = g_new0 (LmCatalogPart, 1);
  part->fields.document = origin->document;
  part->fields.own = origin->own;
  part->fields.warnings = want_warnings ? g_ptr_array_new_with_free_func (g_free) : NULL;
  part->origin = origin;
  part->builder = lm_index_builder_new ();
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
  lm_index_builder_free (part->builder);
  g_array_unref (part->layer_lines);
  g_array_unref (part->build_lines);
  g_free (part->known_prefix);
  g_free (part);
}

gboolean
lm_catalog_part_read (LmCatalogPart *part, const char *text, gsize size, guint first_line, gboolean continuation,
                      GError **error)
{
  static const LmField whole[] = {
    { "lamina-catalog", read_catalog_version, 0, TRUE },
    FIELD (LmCatalogPart, "name", name, read_name, FALSE),
    { "groups", read_groups, 0, FALSE },
    { "layers", read_layers, 0, TRUE },
    { NULL },
  };
  static const LmField last[] = {
    { "layers", read_layers, 0, TRUE },
    FIELD (LmCatalogPart, "name", name, read_last_name, FALSE),
    { NULL },
  };
  LmYamlEvent event = { 0 };
  LmFieldReader *fr = &part->fields;
  g_autoptr (LmYamlReader) yaml = lm_yaml_reader_new (fr->document, text, size, &limits);
  lm_yaml_reader_set_first_line (yaml, first_line);
  fr->yaml = yaml;
  gboolean good = lm_yaml_reader_next (yaml, &event, error)
                  && lm_field_read_mapping (fr, &event, "a catalog", continuation ? last : whole, part, error)
                  && lm_yaml_reader_next (yaml, &event, error);
  fr->yaml = NULL;
  part->end_line = event.line;
  part->ends_with_layers = good && lm_yaml_reader_get_nodes (yaml) == part->nodes_to_layers;
  return good;
}
