/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "model/catalog-reader.h"
#include "base/error.h"
#include "base/size.h"
#include "base/yaml.h"
#include "model/catalog.h"
#include "model/prepared-builder.h"
#include "model/relation.h"
#include "model/selection.h"
#include "model/url.h"

#include <string.h>

#define CATALOG_VERSION 1
#define MAX_TEXT 1024
#define MAX_WARNINGS 100
#define MAX_UNKNOWN 64   /* unknown keys in one mapping */
#define MAX_ITEMS 10000  /* items of one list in a layer */
#define MAX_FILE_SIZE (G_GUINT64_CONSTANT (1) << 44)
#define MAX_STRINGS (G_GUINT64_CONSTANT (1) << 30)

static const LmYamlLimits limits = { .size = 256 << 20, .scalar = 64 << 10, .depth = 16, .nodes = 50000000 };

typedef struct
{
  LmYamlReader *yaml;
  const char *document; /* begins messages */
  const char *base_url;
  LmPreparedBuilder *builder;
  GPtrArray *warnings; /* may be NULL */
  guint n_warnings;
  GArray *layer_lines; /* guint, for messages about what only the whole shows */
  GArray *build_lines;
  char *known_prefix; /* of an absolute URL that was good, up to its last '/' */
  guint32 name;
} Reader;

/* Reads the value that @event begins into @slot. */
typedef gboolean (*ReadFunc) (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error);

typedef struct
{
  const char *key;
  ReadFunc read;
  gsize offset; /* of its slot in the record */
  gboolean required;
} Field;

#define FIELD(record, key, field, read, required) { key, read, G_STRUCT_OFFSET (record, field), required }

static gboolean throw_at (Reader *r, guint line, GError **error, const char *format, ...) G_GNUC_PRINTF (4, 5);
static void warn_at (Reader *r, guint line, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
throw_at (Reader *r, guint line, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *what = g_strdup_vprintf (format, args);
  va_end (args);
  return lm_throw (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID, "%s:%u: %s", r->document, line, what);
}

static void
warn_at (Reader *r, guint line, const char *format, ...)
{
  if (r->warnings == NULL || r->n_warnings > MAX_WARNINGS)
    return;
  if (r->n_warnings++ == MAX_WARNINGS)
    {
      g_ptr_array_add (r->warnings, g_strdup_printf ("%s: further warnings are not shown", r->document));
      return;
    }
  va_list args;
  va_start (args, format);
  g_autofree char *what = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (r->warnings, g_strdup_printf ("%s:%u: %s", r->document, line, what));
}

/* For messages: what strangers wrote, short and without control bytes. */
static char *
shown (const char *text)
{
  g_autofree char *start = g_utf8_substring (text, 0, MIN (g_utf8_strlen (text, -1), 80));
  return g_strescape (start, NULL);
}

static gboolean
next (Reader *r, LmYamlEvent *event, GError **error)
{
  return lm_yaml_reader_next (r->yaml, event, error);
}

static gboolean
expect_type (Reader *r, const LmYamlEvent *event, LmYamlType type, const char *wanted, GError **error)
{
  if (event->kind != LM_YAML_SCALAR)
    return throw_at (r, event->line, error, "%s is needed here, not %s", wanted, lm_yaml_kind_name (event->kind));
  LmYamlType given = lm_yaml_type_of (event->text, event->plain);
  if (given != type)
    return throw_at (r, event->line, error, "%s is needed here, not %s%s", wanted, lm_yaml_type_name (given),
                     type == LM_YAML_STRING && given != LM_YAML_NULL ? "; put it in quotes" : "");
  return TRUE;
}

static gboolean
expect_string (Reader *r, const LmYamlEvent *event, GError **error)
{
  return expect_type (r, event, LM_YAML_STRING, "a string", error);
}

/* ---- mappings ---- */

typedef struct
{
  guint32 seen; /* bits of the known fields */
  GPtrArray *unknown;
} Keys;

static gboolean
add_unknown (Reader *r, Keys *keys, const LmYamlEvent *key, const char *what, GError **error)
{
  if (keys->unknown == NULL)
    keys->unknown = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *safe = shown (key->text);
  for (guint i = 0; i < keys->unknown->len; i++)
    if (strcmp (keys->unknown->pdata[i], key->text) == 0)
      return throw_at (r, key->line, error, "\"%s\" is given twice", safe);
  if (keys->unknown->len == MAX_UNKNOWN)
    return throw_at (r, key->line, error, "there are too many unknown keys in %s", what);
  g_ptr_array_add (keys->unknown, g_strdup (key->text));
  warn_at (r, key->line, "unknown key \"%s\" in %s is ignored", safe, what);
  return TRUE;
}

static gboolean
read_field (Reader *r, const LmYamlEvent *key, const char *what, const Field *fields, Keys *keys, gpointer record,
            GError **error)
{
  LmYamlEvent value;
  guint i = 0;
  if (key->kind != LM_YAML_SCALAR)
    return throw_at (r, key->line, error, "a key must be a single value");
  while (fields[i].key != NULL && strcmp (fields[i].key, key->text) != 0)
    i++;
  if (fields[i].key == NULL)
    return add_unknown (r, keys, key, what, error) && next (r, &value, error)
           && lm_yaml_reader_skip (r->yaml, &value, error);
  if (keys->seen & 1u << i)
    return throw_at (r, key->line, error, "\"%s\" is given twice", fields[i].key);
  keys->seen |= 1u << i;
  return next (r, &value, error) && fields[i].read (r, &value, (char *) record + fields[i].offset, error);
}

/* Reads a mapping by the table @fields, which a NULL key ends. */
static gboolean
read_mapping (Reader *r, const LmYamlEvent *event, const char *what, const Field *fields, gpointer record, GError **error)
{
  Keys keys = { 0 };
  guint line = event->line;
  gboolean good = TRUE, end = FALSE;
  if (event->kind != LM_YAML_MAPPING)
    return throw_at (r, line, error, "%s (a mapping) is needed here, not %s", what, lm_yaml_kind_name (event->kind));
  while (good && !end)
    {
      LmYamlEvent key;
      good = next (r, &key, error);
      end = good && key.kind == LM_YAML_MAPPING_END;
      if (good && !end)
        good = read_field (r, &key, what, fields, &keys, record, error);
    }
  g_clear_pointer (&keys.unknown, g_ptr_array_unref);
  for (guint i = 0; good && fields[i].key != NULL; i++)
    if (fields[i].required && !(keys.seen & 1u << i))
      good = throw_at (r, line, error, "%s needs \"%s\"", what, fields[i].key);
  return good;
}

/* ---- lists ---- */

static gboolean
read_list (Reader *r, const LmYamlEvent *event, const char *what, guint max, ReadFunc read, gpointer slot,
           guint *out_n, GError **error)
{
  LmYamlEvent item;
  guint n = 0;
  if (event->kind != LM_YAML_SEQUENCE)
    return throw_at (r, event->line, error, "a list of %s is needed here, not %s", what, lm_yaml_kind_name (event->kind));
  for (;;)
    {
      if (!next (r, &item, error))
        return FALSE;
      if (item.kind == LM_YAML_SEQUENCE_END)
        break;
      if (++n > max)
        return throw_at (r, item.line, error, "there are too many %s", what);
      if (!read (r, &item, slot, error))
        return FALSE;
    }
  if (out_n)
    *out_n = n;
  return TRUE;
}

/* ---- scalars; the slot is a guint32, the offset of a string, where nothing else is said ---- */

static gboolean
read_name (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  if (!expect_string (r, event, error))
    return FALSE;
  if (!lm_name_is_valid (event->text))
    {
      g_autofree char *safe = shown (event->text);
      return throw_at (r, event->line, error, "\"%s\" is not a name (small letters, digits and + . _ -, at most %d)",
                       safe, LM_NAME_MAX);
    }
  *(guint32 *) slot = lm_prepared_builder_add_common (r->builder, event->text, event->length);
  return TRUE;
}

static gboolean
read_version (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  if (!expect_string (r, event, error))
    return FALSE;
  if (!lm_version_is_valid (event->text))
    {
      g_autofree char *safe = shown (event->text);
      return throw_at (r, event->line, error, "\"%s\" is not a version (letters, digits and . + ~ : -, at most %d)",
                       safe, LM_VERSION_MAX);
    }
  *(guint32 *) slot = lm_prepared_builder_add_common (r->builder, event->text, event->length);
  return TRUE;
}

static gboolean
read_arch (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  if (!expect_string (r, event, error))
    return FALSE;
  gsize good = strspn (event->text, "abcdefghijklmnopqrstuvwxyz0123456789_");
  if (good == 0 || good != event->length || good > 32)
    {
      g_autofree char *safe = shown (event->text);
      return throw_at (r, event->line, error, "\"%s\" is not an architecture, as x86_64 or aarch64 is", safe);
    }
  *(guint32 *) slot = lm_prepared_builder_add_common (r->builder, event->text, event->length);
  return TRUE;
}

/* Text that will be shown, or end up in XML: no control characters. */
static gboolean
read_text (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  if (!expect_string (r, event, error))
    return FALSE;
  if (event->length > MAX_TEXT)
    return throw_at (r, event->line, error, "this text is longer than %d bytes", MAX_TEXT);
  for (const guint8 *p = (const guint8 *) event->text; *p; p++)
    if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
      return throw_at (r, event->line, error, "a control character is not allowed here");
  *(guint32 *) slot = lm_prepared_builder_add_common (r->builder, event->text, event->length);
  return TRUE;
}

/* gboolean as guint32 */
static gboolean
read_flag (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  if (!expect_type (r, event, LM_YAML_BOOL, "true or false", error))
    return FALSE;
  *(guint32 *) slot = (guint32) lm_yaml_bool_value (event->text);
  return TRUE;
}

/* guint64 */
static gboolean
read_file_size (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  gint64 value;
  if (!expect_type (r, event, LM_YAML_INT, "a number of bytes", error))
    return FALSE;
  if (!lm_yaml_int_value (event->text, &value) || value < 1 || (guint64) value > MAX_FILE_SIZE)
    return throw_at (r, event->line, error, "a decimal number of bytes from 1 to %" G_GUINT64_FORMAT " is needed here",
                     MAX_FILE_SIZE);
  *(guint64 *) slot = (guint64) value;
  return TRUE;
}

/* guint64; with a unit, since a bare number would mean one thing to some and
 * another to others */
static gboolean
read_amount (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  g_autoptr (GError) local = NULL;
  guint64 bytes;
  if (!expect_type (r, event, LM_YAML_STRING, "a size with a unit, as 512MiB,", error))
    return FALSE;
  if (!lm_size_parse (event->text, 0, &bytes, &local))
    return throw_at (r, event->line, error, "%s", local->message);
  if (bytes < LM_SIZE_MIB || bytes > MAX_FILE_SIZE)
    return throw_at (r, event->line, error, "a size from 1MiB to 16TiB, with its unit, is needed here");
  *(guint64 *) slot = bytes;
  return TRUE;
}

/* LmDigest */
static gboolean
read_digest (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!expect_string (r, event, error))
    return FALSE;
  if (!lm_digest_parse (event->text, slot, &local))
    return throw_at (r, event->line, error, "%s", local->message);
  return TRUE;
}

static gboolean
read_parent (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmPreparedBuild *build = slot;
  build->has_parent = TRUE;
  return read_digest (r, event, &build->parent, error);
}

/* ---- lists of strings; the slot is an LmPreparedSpan ---- */

static void
add_to_list (Reader *r, guint32 string)
{
  g_array_append_val (r->builder->lists, string);
}

static gboolean
read_relation (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmRelation relation;
  gboolean exact = GPOINTER_TO_INT (slot);
  if (!expect_string (r, event, error))
    return FALSE;
  if (!lm_relation_parse (event->text, &relation)
      || (exact && relation.op != LM_RELATION_ANY && relation.op != LM_RELATION_EQUAL))
    {
      g_autofree char *safe = shown (event->text);
      return throw_at (r, event->line, error, "\"%s\" is not %s", safe,
                       exact ? "\"name\" or \"name = version\"" : "\"name\" or \"name >= version\" (or < <= = >)");
    }
  add_to_list (r, lm_prepared_builder_add_common (r->builder, event->text, event->length));
  return TRUE;
}

static gboolean
read_relations (Reader *r, const LmYamlEvent *event, LmPreparedSpan *span, gboolean exact, GError **error)
{
  span->first = r->builder->lists->len;
  return read_list (r, event, "names", MAX_ITEMS, read_relation, GINT_TO_POINTER (exact), &span->n, error);
}

static gboolean
read_needs (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  return read_relations (r, event, slot, FALSE, error);
}

static gboolean
read_provides (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  return read_relations (r, event, slot, TRUE, error);
}

/* Whether @text begins as the last good absolute URL did, and goes on plainly:
 * a catalog of a hundred thousand mirrors is checked in no time. */
static gboolean
is_known_url (Reader *r, const char *text)
{
  gsize length = r->known_prefix ? strlen (r->known_prefix) : 0;
  return length > 0 && strncmp (text, r->known_prefix, length) == 0 && lm_url_is_plain (text + length)
         && strlen (text) <= LM_URL_MAX;
}

static gboolean
read_url (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!expect_string (r, event, error))
    return FALSE;
  if (lm_url_is_plain (event->text) || is_known_url (r, event->text))
    {
      add_to_list (r, lm_prepared_builder_add_string (r->builder, event->text, event->length));
      return TRUE;
    }
  g_autofree char *url = lm_url_resolve (r->base_url, event->text, &local);
  if (url == NULL)
    return throw_at (r, event->line, error, "%s", local->message);
  add_to_list (r, lm_prepared_builder_add_string (r->builder, url, strlen (url)));
  if (strcmp (url, event->text) == 0 && strpbrk (url, "?#") == NULL)
    {
      g_free (r->known_prefix);
      r->known_prefix = lm_url_directory (url);
    }
  return TRUE;
}

static gboolean
read_urls (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmPreparedSpan *span = slot;
  guint line = event->line;
  span->first = r->builder->lists->len;
  if (!read_list (r, event, "URLs", 64, read_url, NULL, &span->n, error))
    return FALSE;
  return span->n > 0 || throw_at (r, line, error, "at least one URL is needed");
}

/* ---- records ---- */

/* guint32: number of the blob */
static gboolean
read_blob (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  static const Field fields[] = {
    FIELD (LmPreparedBlob, "digest", digest, read_digest, TRUE),
    FIELD (LmPreparedBlob, "size", size, read_file_size, TRUE),
    FIELD (LmPreparedBlob, "urls", urls, read_urls, TRUE),
    { NULL },
  };
  LmPreparedBlob blob = { 0 };
  if (!read_mapping (r, event, "a kernel or initrd", fields, &blob, error))
    return FALSE;
  *(guint32 *) slot = r->builder->blobs->len;
  g_array_append_val (r->builder->blobs, blob);
  return TRUE;
}

/* LmPreparedLayer */
static gboolean
read_boot (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  static const Field fields[] = {
    FIELD (LmPreparedLayer, "kernel", kernel, read_blob, FALSE),
    FIELD (LmPreparedLayer, "initrd", initrd, read_blob, FALSE),
    FIELD (LmPreparedLayer, "cmdline", cmdline, read_text, FALSE),
    { NULL },
  };
  return read_mapping (r, event, "boot", fields, slot, error);
}

/* LmPreparedLayer */
static gboolean
read_resources (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  static const Field fields[] = {
    FIELD (LmPreparedLayer, "memory", memory, read_amount, FALSE),
    FIELD (LmPreparedLayer, "disk", disk, read_amount, FALSE),
    { NULL },
  };
  return read_mapping (r, event, "resources", fields, slot, error);
}

static gboolean
read_build (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  static const Field fields[] = {
    { "parent", read_parent, 0, FALSE },
    FIELD (LmPreparedBuild, "digest", digest, read_digest, TRUE),
    FIELD (LmPreparedBuild, "size", size, read_file_size, TRUE),
    FIELD (LmPreparedBuild, "urls", urls, read_urls, TRUE),
    { NULL },
  };
  LmPreparedBuild build = { .layer = r->builder->layers->len };
  guint line = event->line;
  if (!read_mapping (r, event, "a build", fields, &build, error))
    return FALSE;
  if (build.has_parent && lm_digest_equal (&build.parent, &build.digest))
    return throw_at (r, line, error, "a build cannot be its own parent");
  g_array_append_val (r->builder->builds, build);
  g_array_append_val (r->build_lines, line);
  return TRUE;
}

/* LmPreparedSpan */
static gboolean
read_builds (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmPreparedSpan *span = slot;
  guint line = event->line;
  span->first = r->builder->builds->len;
  if (!read_list (r, event, "builds", MAX_ITEMS, read_build, NULL, &span->n, error))
    return FALSE;
  return span->n > 0 || throw_at (r, line, error, "at least one build is needed");
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
read_layer (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  static const Field fields[] = {
    FIELD (LmPreparedLayer, "name", name, read_name, TRUE),
    FIELD (LmPreparedLayer, "version", version, read_version, TRUE),
    FIELD (LmPreparedLayer, "group", group, read_name, TRUE),
    FIELD (LmPreparedLayer, "summary", summary, read_text, FALSE),
    FIELD (LmPreparedLayer, "requires", requires, read_needs, FALSE),
    FIELD (LmPreparedLayer, "builds", builds, read_builds, TRUE),
    FIELD (LmPreparedLayer, "provides", provides, read_provides, FALSE),
    FIELD (LmPreparedLayer, "conflicts", conflicts, read_needs, FALSE),
    FIELD (LmPreparedLayer, "osinfo", osinfo, read_text, FALSE),
    FIELD (LmPreparedLayer, "arch", arch, read_arch, FALSE),
    FIELD (LmPreparedLayer, "ready", ready, read_text, FALSE),
    { "resources", read_resources, 0, FALSE },
    { "boot", read_boot, 0, FALSE },
    { NULL },
  };
  LmPreparedLayer layer = { .kernel = LM_PREPARED_NONE, .initrd = LM_PREPARED_NONE, .next = LM_PREPARED_NONE };
  guint line = event->line;
  if (!read_mapping (r, event, "a layer", fields, &layer, error))
    return FALSE;
  if (r->builder->strings->len > MAX_STRINGS)
    return throw_at (r, line, error, "this catalog is too large");
  add_provides (r, &layer);
  g_array_append_val (r->builder->layers, layer);
  g_array_append_val (r->layer_lines, line);
  return TRUE;
}

static gboolean
read_layers (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  return read_list (r, event, "layers", 1000000, read_layer, NULL, NULL, error);
}

static gboolean
read_group (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  static const Field fields[] = {
    FIELD (LmPreparedGroup, "name", name, read_name, TRUE),
    FIELD (LmPreparedGroup, "title", title, read_text, FALSE),
    FIELD (LmPreparedGroup, "required", required, read_flag, FALSE),
    FIELD (LmPreparedGroup, "multiple", multiple, read_flag, FALSE),
    { NULL },
  };
  LmPreparedGroup group = { 0 };
  guint line = event->line;
  if (!read_mapping (r, event, "a group", fields, &group, error))
    return FALSE;
  const char *strings = r->builder->strings->str;
  for (guint i = 0; i < r->builder->groups->len; i++)
    if (strcmp (strings + g_array_index (r->builder->groups, LmPreparedGroup, i).name, strings + group.name) == 0)
      return throw_at (r, line, error, "the group \"%s\" is given twice", strings + group.name);
  g_array_append_val (r->builder->groups, group);
  return TRUE;
}

static gboolean
read_groups (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  return read_list (r, event, "groups", 1000, read_group, NULL, NULL, error);
}

static gboolean
read_catalog_version (Reader *r, const LmYamlEvent *event, gpointer slot, GError **error)
{
  gint64 value;
  if (!expect_type (r, event, LM_YAML_INT, "a whole number", error))
    return FALSE;
  if (lm_yaml_int_value (event->text, &value) && value == CATALOG_VERSION)
    return TRUE;
  return lm_throw (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_UNSUPPORTED,
                   "%s:%u: this is a catalog of version %s, and this lamina reads version %d", r->document, event->line,
                   event->text, CATALOG_VERSION);
}

/* ---- what only the whole shows ---- */

static gboolean
check_groups (Reader *r, GError **error)
{
  const char *strings = r->builder->strings->str;
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < r->builder->groups->len; i++)
    g_hash_table_add (known, (gpointer) (strings + g_array_index (r->builder->groups, LmPreparedGroup, i).name));
  for (guint i = 0; i < r->builder->layers->len; i++)
    {
      const LmPreparedLayer *layer = &g_array_index (r->builder->layers, LmPreparedLayer, i);
      if (!g_hash_table_contains (known, strings + layer->group))
        return throw_at (r, g_array_index (r->layer_lines, guint, i), error,
                         "the layer \"%s\" is of the group \"%s\", which is not among the groups", strings + layer->name,
                         strings + layer->group);
    }
  return TRUE;
}

static gboolean
check_duplicates (Reader *r, GError **error)
{
  guint32 a, b;
  LmPreparedIndexing indexing = lm_prepared_builder_index (r->builder, &a, &b);
  if (indexing == LM_PREPARED_INDEXED)
    return TRUE;
  if (indexing == LM_PREPARED_CROWDED)
    return lm_throw (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID,
                     "%s: names or digests in this catalog are made to collide", r->document);
  gboolean build = indexing == LM_PREPARED_SAME_BUILD;
  GArray *lines = build ? r->build_lines : r->layer_lines;
  return throw_at (r, g_array_index (lines, guint, b), error,
                   build ? "a build of the same digest is in line %u" : "the same version of this layer is in line %u",
                   g_array_index (lines, guint, a));
}

static gboolean
read_document (Reader *r, GError **error)
{
  static const Field fields[] = {
    { "lamina-catalog", read_catalog_version, 0, TRUE },
    FIELD (Reader, "name", name, read_name, FALSE),
    { "groups", read_groups, 0, FALSE },
    { "layers", read_layers, 0, TRUE },
    { NULL },
  };
  LmYamlEvent event;
  return next (r, &event, error) && read_mapping (r, &event, "a catalog", fields, r, error) && next (r, &event, error)
         && check_groups (r, error) && check_duplicates (r, error);
}

GBytes *
lm_catalog_read (const char *base_url, const char *text, gsize size, GPtrArray *warnings, GError **error)
{
  g_autofree char *path = g_filename_from_uri (base_url, NULL, NULL);
  g_autoptr (LmPreparedBuilder) builder = lm_prepared_builder_new ();
  g_autoptr (GArray) layer_lines = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) build_lines = g_array_new (FALSE, FALSE, sizeof (guint));
  Reader r = {
    .document = path ? path : base_url,
    .base_url = base_url,
    .builder = builder,
    .warnings = warnings,
    .layer_lines = layer_lines,
    .build_lines = build_lines,
  };
  if (!lm_url_check_base (base_url, error))
    return NULL;
  g_autoptr (LmYamlReader) yaml = lm_yaml_reader_new (r.document, text, size, &limits);
  r.yaml = yaml;
  gboolean good = read_document (&r, error);
  g_free (r.known_prefix);
  if (!good)
    return NULL;
  guint32 base = lm_prepared_builder_add_string (builder, base_url, strlen (base_url));
  return lm_prepared_builder_finish (builder, r.name, base);
}
