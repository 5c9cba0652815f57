/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/spec-file.h"
#include "base/content.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "base/yaml-node.h"

#include <string.h>

#define MAX_SIZE (1024 * 1024)

static gboolean
throw_at_node (const LmYamlNode *node, const char *what, GError **error)
{
  g_autoptr (GError) located = NULL;
  lm_yaml_node_throw (node, &located, "%s", what);
  return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s", located->message);
}

/* Propagates an error of the builder about a value, with the position of the value. */
static gboolean
propagate_at_node (const LmYamlNode *node, GError *failure, GError **error)
{
  g_autoptr (GError) owned = failure;
  g_autoptr (GError) located = NULL;
  if (g_error_matches (owned, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&owned));
      return FALSE;
    }
  lm_yaml_node_throw (node, &located, "%s", owned->message);
  return lm_throw (error, owned->domain, owned->code, "%s", located->message);
}

static gboolean
set_mapping (LmRequestBuilder *builder, const LmOption *option, const LmYamlNode *node, GError **error)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (LmOptionPair));
  for (guint i = 0; i < lm_yaml_node_get_length (node); i++)
    {
      const LmYamlNode *item = lm_yaml_node_get_item (node, i);
      const LmOptionPair pair = { lm_yaml_node_get_key (node, i), lm_yaml_node_get_text (item) };
      if (pair.value == NULL || *pair.value == '\0')
        return throw_at_node (item, "expected a single value", error);
      g_array_append_val (pairs, pair);
    }
  GError *failure = NULL;
  if (lm_request_builder_set_pairs (builder, option->name, (const LmOptionPair *) (void *) pairs->data, pairs->len, &failure))
    return TRUE;
  return propagate_at_node (node, failure, error);
}

/* Sets an option from a single value; "true" and "false" for an option that takes
 * no value or does not require one. */
static gboolean
set_scalar (LmRequestBuilder *builder, const LmOption *option, const LmYamlNode *node, GError **error)
{
  gboolean optional = (option->flags & LM_OPTION_OPTIONAL) != 0;
  gboolean on;
  if ((optional || !(option->flags & LM_OPTION_VALUE)) && lm_yaml_node_to_bool (node, &on, NULL))
    {
      if (on)
        lm_request_builder_set_flag (builder, option->name);
      return TRUE;
    }
  if (!(option->flags & LM_OPTION_VALUE))
    return throw_at_node (node, "expected true or false", error);
  GError *failure = NULL;
  if (lm_request_builder_set_text (builder, option->name, lm_yaml_node_get_text (node), &failure))
    return TRUE;
  return propagate_at_node (node, failure, error);
}

static gboolean
set_value (LmRequestBuilder *builder, const LmOption *option, const LmYamlNode *node, GError **error)
{
  if (lm_yaml_node_get_kind (node) == LM_YAML_SCALAR)
    return set_scalar (builder, option, node, error);
  if (!(option->flags & LM_OPTION_VALUE))
    return throw_at_node (node, "expected true or false", error);
  return set_mapping (builder, option, node, error);
}

static gboolean
set_option (LmRequestBuilder *builder, const LmOption *option, const LmYamlNode *node, GError **error)
{
  if (lm_yaml_node_get_kind (node) != LM_YAML_SEQUENCE)
    return set_value (builder, option, node, error);
  if (!(option->flags & LM_OPTION_MULTIPLE))
    return throw_at_node (node, "expected a single value, not a list", error);
  for (guint i = 0; i < lm_yaml_node_get_length (node); i++)
    {
      const LmYamlNode *item = lm_yaml_node_get_item (node, i);
      if (lm_yaml_node_get_kind (item) == LM_YAML_SEQUENCE)
        return throw_at_node (item, "expected a single value, not a list in a list", error);
      if (!set_value (builder, option, item, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
set_name (LmRequestBuilder *builder, const LmYamlNode *node, GError **error)
{
  const char *name = lm_yaml_node_get_text (node);
  GError *failure = NULL;
  if (name == NULL)
    return throw_at_node (node, "expected the name of the machine", error);
  return lm_request_builder_set_name (builder, name, &failure) || propagate_at_node (node, failure, error);
}

/* Adds the layer that @node names, of @group if that is not NULL. */
static gboolean
add_selection (LmRequestBuilder *builder, const char *group, const LmYamlNode *node, GError **error)
{
  const char *name = lm_yaml_node_get_text (node);
  if (name == NULL)
    return throw_at_node (node, "expected the name of a layer", error);
  g_autofree char *text = group ? g_strdup_printf ("%s=%s", group, name) : g_strdup (name);
  GError *failure = NULL;
  return lm_request_builder_add_selection (builder, text, &failure) || propagate_at_node (node, failure, error);
}

/* A selection, a list of them, or a mapping "GROUP: NAME" or "GROUP: [NAME, ...]". */
static gboolean
add_selections (LmRequestBuilder *builder, const LmYamlNode *node, GError **error)
{
  if (lm_yaml_node_get_kind (node) == LM_YAML_SCALAR)
    return add_selection (builder, NULL, node, error);
  for (guint i = 0; i < lm_yaml_node_get_length (node); i++)
    {
      const LmYamlNode *item = lm_yaml_node_get_item (node, i);
      const char *group = lm_yaml_node_get_key (node, i);
      gboolean several = group != NULL && lm_yaml_node_get_kind (item) == LM_YAML_SEQUENCE;
      for (guint j = 0; several && j < lm_yaml_node_get_length (item); j++)
        if (!add_selection (builder, group, lm_yaml_node_get_item (item, j), error))
          return FALSE;
      if (!several && !add_selection (builder, group, item, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_member (LmRequestBuilder *builder, LmArgs *args, const char *key, const LmYamlNode *node, GError **error)
{
  if (strcmp (key, "name") == 0)
    return lm_args_n_words (args) > 0 || set_name (builder, node, error);
  if (strcmp (key, "selections") == 0)
    return lm_args_n_words (args) > 1 || add_selections (builder, node, error);
  const LmOption *option = lm_args_option (args, key);
  if (option == NULL || !(option->flags & LM_OPTION_SPEC))
    {
      const char *similar = strcmp (key, "selection") == 0 ? "selections" : lm_args_find_similar (args, LM_OPTION_SPEC, key);
      g_autofree char *what
        = similar != NULL ? g_strdup_printf ("\"%s\" is not an option that can be given in a file; did you mean \"%s\"?", key, similar)
                          : g_strdup_printf ("\"%s\" is not an option that can be given in a file", key);
      return throw_at_node (node, what, error);
    }
  return lm_args_has (args, key) || set_option (builder, option, node, error);
}

gboolean
lm_spec_file_read (const char *path, LmArgs *args, LmRequestBuilder *builder, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = lm_file_read (path, MAX_SIZE, cancellable, &failure);
  g_autoptr (GBytes) normal = bytes ? lm_text_normalize (bytes) : NULL;
  if (bytes != NULL && !lm_content_check (bytes, path, "a YAML or JSON file", &failure))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s", failure->message);
  gsize size = 0;
  const char *text = normal ? g_bytes_get_data (normal, &size) : NULL;
  g_autoptr (LmYamlNode) root = bytes ? lm_yaml_node_parse (path, text, size, NULL, &failure) : NULL;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (root == NULL)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s", failure->message);
  if (lm_yaml_node_get_kind (root) != LM_YAML_MAPPING)
    return throw_at_node (root, "expected a mapping of options", error);
  for (guint i = 0; i < lm_yaml_node_get_length (root); i++)
    if (!read_member (builder, args, lm_yaml_node_get_key (root, i), lm_yaml_node_get_item (root, i), error))
      return FALSE;
  return TRUE;
}
