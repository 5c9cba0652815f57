/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/field.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/size.h"
#include "catalog/catalog.h"

#include <string.h>

#define MAX_WARNINGS 100
#define MAX_UNKNOWN 64 /* in one mapping */
#define MAX_PROBLEMS 1000

static void add_warning (LmFieldReader *r, guint line, const char *format, ...) G_GNUC_PRINTF (3, 4);

gboolean
lm_field_throw (LmFieldReader *r, guint line, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *what = g_strdup_vprintf (format, args);
  va_end (args);
  if (r->own)
    return lm_throw (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID, "%s", what);
  return lm_throw (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID, "%s:%u: %s", r->document, line, what);
}

static void
add_warning (LmFieldReader *r, guint line, const char *format, ...)
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

/* Returns @text, which is not trusted, shortened and without control characters,
 * for a message. Newly allocated. */
static char *
make_printable (const char *text)
{
  g_autofree char *start = g_utf8_substring (text, 0, MIN (g_utf8_strlen (text, -1), 80));
  return g_strescape (start, NULL);
}

static gboolean
next_event (LmFieldReader *r, LmYamlEvent *event, GError **error)
{
  return lm_yaml_reader_next (r->yaml, event, error);
}

gboolean
lm_field_expect (LmFieldReader *r, const LmYamlEvent *event, LmYamlType type, const char *wanted, GError **error)
{
  if (event->kind != LM_YAML_SCALAR)
    return lm_field_throw (r, event->line, error, "expected %s, not %s", wanted, lm_yaml_kind_name (event->kind));
  LmYamlType given = lm_yaml_type_of (event->text, event->plain);
  if (given != type)
    return lm_field_throw (r, event->line, error, "expected %s, not %s%s", wanted, lm_yaml_type_name (given),
                     type == LM_YAML_STRING && given != LM_YAML_NULL ? "; put it in quotes" : "");
  return TRUE;
}

/* Adds the error to the problems, if they are collected, and skips what is left of the value
 * in which it was found, which is at @depth. Otherwise the error remains. */
static gboolean
recover (LmFieldReader *r, guint depth, GError **error)
{
  if (r->problems == NULL || r->problems->len >= MAX_PROBLEMS || error == NULL || *error == NULL || (*error)->domain != LM_CATALOG_ERROR)
    return FALSE;
  g_ptr_array_add (r->problems, g_strdup ((*error)->message));
  g_clear_error (error);
  return lm_yaml_reader_leave (r->yaml, depth, error);
}

typedef struct
{
  guint32 seen; /* one bit for each known field that has been read */
  GPtrArray *unknown;
} Keys;

static gboolean
add_unknown (LmFieldReader *r, Keys *keys, const LmYamlEvent *key, const char *what, GError **error)
{
  if (keys->unknown == NULL)
    keys->unknown = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *safe = make_printable (key->text);
  for (guint i = 0; i < keys->unknown->len; i++)
    if (strcmp (keys->unknown->pdata[i], key->text) == 0)
      return lm_field_throw (r, key->line, error, "\"%s\" is given twice", safe);
  if (keys->unknown->len == MAX_UNKNOWN)
    return lm_field_throw (r, key->line, error, "too many unknown keys in %s", what);
  g_ptr_array_add (keys->unknown, g_strdup (key->text));
  add_warning (r, key->line, "unknown key \"%s\" in %s is ignored", safe, what);
  return TRUE;
}

static gboolean
skip_value (LmFieldReader *r, GError **error)
{
  LmYamlEvent value;
  return next_event (r, &value, error) && lm_yaml_reader_skip (r->yaml, &value, error);
}

static gboolean
read_field (LmFieldReader *r, const LmYamlEvent *key, const char *what, const LmField *fields, Keys *keys, gpointer record,
            GError **error)
{
  LmYamlEvent value;
  guint i = 0;
  if (key->kind != LM_YAML_SCALAR)
    return lm_field_throw (r, key->line, error, "a key must be a single value");
  while (fields[i].key != NULL && (fields[i].key[0] != key->text[0] || strcmp (fields[i].key, key->text) != 0))
    i++;
  if (fields[i].key == NULL)
    return (add_unknown (r, keys, key, what, error) || recover (r, lm_yaml_reader_get_depth (r->yaml), error))
           && skip_value (r, error);
  if (keys->seen & 1u << i)
    {
      (void) lm_field_throw (r, key->line, error, "\"%s\" is given twice", fields[i].key);
      return recover (r, lm_yaml_reader_get_depth (r->yaml), error) && skip_value (r, error);
    }
  keys->seen |= 1u << i;
  return next_event (r, &value, error) && fields[i].read (r, &value, (char *) record + fields[i].offset, error);
}

gboolean
lm_field_read_mapping (LmFieldReader *r, const LmYamlEvent *event, const char *what, const LmField *fields,
                       gpointer record, GError **error)
{
  Keys keys = { 0 };
  guint line = event->line;
  gboolean good = TRUE, end = FALSE;
  if (event->kind != LM_YAML_MAPPING)
    return lm_field_throw (r, line, error, "expected %s (a mapping), not %s", what, lm_yaml_kind_name (event->kind));
  while (good && !end)
    {
      LmYamlEvent key;
      good = next_event (r, &key, error);
      end = good && key.kind == LM_YAML_MAPPING_END;
      guint depth = lm_yaml_reader_get_depth (r->yaml);
      if (good && !end)
        good = read_field (r, &key, what, fields, &keys, record, error) || recover (r, depth, error);
    }
  g_clear_pointer (&keys.unknown, g_ptr_array_unref);
  for (guint i = 0; good && fields[i].key != NULL; i++)
    if (fields[i].required && !(keys.seen & 1u << i))
      good = lm_field_throw (r, line, error, "%s must have \"%s\"", what, fields[i].key)
             || recover (r, lm_yaml_reader_get_depth (r->yaml), error);
  return good;
}

gboolean
lm_field_read_list (LmFieldReader *r, const LmYamlEvent *event, const char *what, guint max, LmFieldFunc read,
                    gpointer slot, guint *out_n, GError **error)
{
  LmYamlEvent item;
  guint n = 0;
  if (event->kind != LM_YAML_SEQUENCE)
    return lm_field_throw (r, event->line, error, "expected a list of %s, not %s", what,
                           lm_yaml_kind_name (event->kind));
  for (;;)
    {
      if (!next_event (r, &item, error))
        return FALSE;
      if (item.kind == LM_YAML_SEQUENCE_END)
        break;
      if (++n > max)
        return lm_field_throw (r, item.line, error, "too many %s", what);
      guint depth = lm_yaml_reader_get_depth (r->yaml) - (item.kind != LM_YAML_SCALAR ? 1 : 0);
      if (!read (r, &item, slot, error) && !recover (r, depth, error))
        return FALSE;
    }
  if (out_n)
    *out_n = n;
  return TRUE;
}

/* ---- single values ---- */

gboolean
lm_field_expect_string (LmFieldReader *fr, const LmYamlEvent *event, GError **error)
{
  return lm_field_expect (fr, event, LM_YAML_STRING, "a string", error);
}

gboolean
lm_field_throw_not (LmFieldReader *fr, const LmYamlEvent *event, const char *what, GError **error)
{
  g_autofree char *safe = make_printable (event->text);
  return lm_field_throw (fr, event->line, error, "\"%s\" is not %s", safe, what);
}

gboolean
lm_field_read_flag (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  if (!lm_field_expect (fr, event, LM_YAML_BOOL, "true or false", error))
    return FALSE;
  *(guint32 *) slot = (guint32) lm_yaml_bool_value (event->text);
  return TRUE;
}

gboolean
lm_field_read_file_size (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  gint64 value;
  if (!lm_field_expect (fr, event, LM_YAML_INT, "a number of bytes", error))
    return FALSE;
  if (!lm_yaml_int_value (event->text, &value) || value < 1 || (guint64) value > LM_BLOB_SIZE_MAX)
    return lm_field_throw (fr, event->line, error, "expected a decimal number of bytes from 1 to %" G_GUINT64_FORMAT,
                     LM_BLOB_SIZE_MAX);
  *(guint64 *) slot = (guint64) value;
  return TRUE;
}

gboolean
lm_field_read_amount (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  g_autoptr (GError) local = NULL;
  guint64 bytes;
  if (!lm_field_expect (fr, event, LM_YAML_STRING, "a size with a unit, such as 512MiB,", error))
    return FALSE;
  if (!lm_size_parse (event->text, 0, &bytes, &local))
    return lm_field_throw (fr, event->line, error, "%s", local->message);
  if (bytes < LM_SIZE_MIB || bytes > LM_BLOB_SIZE_MAX)
    return lm_field_throw (fr, event->line, error, "expected a size from 1MiB to 16TiB with a unit");
  *(guint64 *) slot = bytes;
  return TRUE;
}

gboolean
lm_field_read_digest (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!lm_field_expect_string (fr, event, error))
    return FALSE;
  if (!lm_digest_parse (event->text, slot, &local))
    return lm_field_throw (fr, event->line, error, "%s", local->message);
  return TRUE;
}
