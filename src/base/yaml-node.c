/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/yaml-node.h"
#include "base/error.h"

#include <string.h>

struct _LmYamlNode
{
  const char *document; /* the document's name; owned by the root */
  char *owned_document; /* the root only */
  LmYamlKind kind;
  guint line;
  gboolean plain;
  char *text;        /* scalars */
  GPtrArray *keys;   /* mappings: char * */
  GPtrArray *values; /* collections: LmYamlNode * */
};

static gboolean read_node (LmYamlReader *reader, const LmYamlEvent *event, const char *document, LmYamlNode **out,
                           GError **error);

void
lm_yaml_node_free (LmYamlNode *root)
{
  if (root == NULL)
    return;
  g_clear_pointer (&root->keys, g_ptr_array_unref);
  g_clear_pointer (&root->values, g_ptr_array_unref);
  g_free (root->text);
  g_free (root->owned_document);
  g_free (root);
}

gboolean
lm_yaml_node_throw (const LmYamlNode *node, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *what = g_strdup_vprintf (format, args);
  va_end (args);
  return lm_throw (error, LM_YAML_ERROR, LM_YAML_ERROR_TYPE, "%s:%u: %s", node->document, node->line, what);
}

static LmYamlNode *
node_new (const LmYamlEvent *event, const char *document)
{
  LmYamlNode *node = g_new0 (LmYamlNode, 1);
  node->document = document;
  node->kind = event->kind;
  node->line = event->line;
  if (event->kind == LM_YAML_SCALAR)
    {
      node->plain = event->plain;
      node->text = g_strndup (event->text, event->length);
      return node;
    }
  node->values = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_yaml_node_free);
  if (event->kind == LM_YAML_MAPPING)
    node->keys = g_ptr_array_new_with_free_func (g_free);
  return node;
}

static gboolean
read_sequence_node (LmYamlReader *reader, LmYamlNode *node, GError **error)
{
  for (;;)
    {
      LmYamlEvent event;
      LmYamlNode *value;
      if (!lm_yaml_reader_next (reader, &event, error))
        return FALSE;
      if (event.kind == LM_YAML_SEQUENCE_END)
        return TRUE;
      if (!read_node (reader, &event, node->document, &value, error))
        return FALSE;
      g_ptr_array_add (node->values, value);
    }
}

static gboolean
read_mapping_node (LmYamlReader *reader, LmYamlNode *node, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (;;)
    {
      LmYamlEvent event;
      LmYamlNode *value;
      if (!lm_yaml_reader_next (reader, &event, error))
        return FALSE;
      if (event.kind == LM_YAML_MAPPING_END)
        return TRUE;
      if (event.kind != LM_YAML_SCALAR)
        return lm_throw (error, LM_YAML_ERROR, LM_YAML_ERROR_SYNTAX, "%s:%u: a key must be a single value",
                         node->document, event.line);
      char *key = g_strndup (event.text, event.length);
      g_ptr_array_add (node->keys, key);
      if (!g_hash_table_add (seen, key))
        return lm_throw (error, LM_YAML_ERROR, LM_YAML_ERROR_SYNTAX, "%s:%u: \"%s\" is given twice", node->document,
                         event.line, key);
      if (!lm_yaml_reader_next (reader, &event, error) || !read_node (reader, &event, node->document, &value, error))
        return FALSE;
      g_ptr_array_add (node->values, value);
    }
}

/* The reader's depth limit bounds the recursion. */
static gboolean
read_node (LmYamlReader *reader, const LmYamlEvent *event, const char *document, LmYamlNode **out, GError **error)
{
  g_autoptr (LmYamlNode) node = node_new (event, document);
  if (node->kind == LM_YAML_SEQUENCE && !read_sequence_node (reader, node, error))
    return FALSE;
  if (node->kind == LM_YAML_MAPPING && !read_mapping_node (reader, node, error))
    return FALSE;
  *out = g_steal_pointer (&node);
  return TRUE;
}

LmYamlNode *
lm_yaml_node_parse (const char *name, const char *text, gsize size, const LmYamlLimits *limits, GError **error)
{
  g_autoptr (LmYamlReader) reader = lm_yaml_reader_new (name, text, size, limits ? limits : &lm_yaml_limits_small);
  g_autofree char *document = g_strdup (name);
  g_autoptr (LmYamlNode) root = NULL;
  LmYamlEvent event;
  if (!lm_yaml_reader_next (reader, &event, error) || !read_node (reader, &event, document, &root, error))
    return NULL;
  root->owned_document = g_steal_pointer (&document);
  if (!lm_yaml_reader_next (reader, &event, error))
    return NULL;
  return g_steal_pointer (&root);
}

LmYamlKind
lm_yaml_node_get_kind (const LmYamlNode *node)
{
  return node->kind;
}

guint
lm_yaml_node_get_length (const LmYamlNode *node)
{
  return node->values ? node->values->len : 0;
}

const LmYamlNode *
lm_yaml_node_get_item (const LmYamlNode *node, guint index)
{
  return index < lm_yaml_node_get_length (node) ? node->values->pdata[index] : NULL;
}

const char *
lm_yaml_node_get_key (const LmYamlNode *node, guint index)
{
  return node->keys && index < node->keys->len ? node->keys->pdata[index] : NULL;
}

const LmYamlNode *
lm_yaml_node_lookup (const LmYamlNode *node, const char *key)
{
  if (node == NULL || node->keys == NULL)
    return NULL;
  for (guint i = 0; i < node->keys->len; i++)
    if (strcmp (node->keys->pdata[i], key) == 0)
      return node->values->pdata[i];
  return NULL;
}

gboolean
lm_yaml_node_is_null (const LmYamlNode *node)
{
  return node->kind == LM_YAML_SCALAR && lm_yaml_type_of (node->text, node->plain) == LM_YAML_NULL;
}

const char *
lm_yaml_node_get_text (const LmYamlNode *node)
{
  return node->text;
}

static gboolean
throw_type (const LmYamlNode *node, const char *wanted, GError **error)
{
  if (node->kind != LM_YAML_SCALAR)
    return lm_yaml_node_throw (node, error, "expected %s, not %s", wanted, lm_yaml_kind_name (node->kind));
  return lm_yaml_node_throw (node, error, "expected %s, not %s", wanted,
                             lm_yaml_type_name (lm_yaml_type_of (node->text, node->plain)));
}

static gboolean
is_scalar_of_type (const LmYamlNode *node, LmYamlType type)
{
  return node->kind == LM_YAML_SCALAR && lm_yaml_type_of (node->text, node->plain) == type;
}

gboolean
lm_yaml_node_to_bool (const LmYamlNode *node, gboolean *out_value, GError **error)
{
  if (!is_scalar_of_type (node, LM_YAML_BOOL))
    return throw_type (node, lm_yaml_type_name (LM_YAML_BOOL), error);
  *out_value = lm_yaml_bool_value (node->text);
  return TRUE;
}

gboolean
lm_yaml_node_to_int (const LmYamlNode *node, gint64 min, gint64 max, gint64 *out_value, GError **error)
{
  gint64 value;
  if (!is_scalar_of_type (node, LM_YAML_INT))
    return throw_type (node, lm_yaml_type_name (LM_YAML_INT), error);
  if (!lm_yaml_int_value (node->text, &value) || value < min || value > max)
    return lm_yaml_node_throw (node, error,
                               "expected a decimal number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, min,
                               max);
  *out_value = value;
  return TRUE;
}
