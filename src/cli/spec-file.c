/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/spec-file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/yaml-node.h"

#include <string.h>

#define MAX_SIZE (1024 * 1024)

static gboolean
wrong (const LmYamlNode *node, GError **error, const char *what)
{
  g_autoptr (GError) detail = NULL;
  lm_yaml_node_throw (node, &detail, "%s", what);
  return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s", detail->message);
}

/* {size: 8GiB, bus: x} -> "size=8GiB,bus=x", as it would stand on the command line. */
static gboolean
join_mapping (const LmYamlNode *node, char **out_text, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < lm_yaml_node_get_length (node); i++)
    {
      const LmYamlNode *item = lm_yaml_node_get_item (node, i);
      const char *value = lm_yaml_node_get_text (item);
      if (value == NULL || strchr (value, ',') != NULL)
        return wrong (item, error, "a single value without a comma is needed here");
      g_string_append_printf (text, "%s%s=%s", text->len ? "," : "", lm_yaml_node_get_key (node, i), value);
    }
  *out_text = g_string_free (g_steal_pointer (&text), FALSE);
  return TRUE;
}

static gboolean
add_value (LmArgs *args, const LmOption *option, const LmYamlNode *node, GError **error)
{
  const char *name = option->name;
  switch (lm_yaml_node_get_kind (node))
    {
    case LM_YAML_SEQUENCE:
      if (!(option->flags & LM_OPTION_MULTIPLE))
        return wrong (node, error, "one value is needed here, not a list");
      for (guint i = 0; i < lm_yaml_node_get_length (node); i++)
        {
          const LmYamlNode *item = lm_yaml_node_get_item (node, i);
          if (lm_yaml_node_get_kind (item) == LM_YAML_SEQUENCE)
            return wrong (item, error, "a list within a list says nothing here");
          if (!add_value (args, option, item, error))
            return FALSE;
        }
      return TRUE;
    case LM_YAML_MAPPING:
      {
        g_autofree char *text = NULL;
        if (!(option->flags & LM_OPTION_VALUE))
          return wrong (node, error, "true or false is needed here");
        if (!join_mapping (node, &text, error))
          return FALSE;
        lm_args_add (args, name, text);
        return TRUE;
      }
    default:
      break;
    }
  const char *text = lm_yaml_node_get_text (node);
  gboolean on = FALSE;
  if ((option->flags & LM_OPTION_VALUE) && !(option->flags & LM_OPTION_OPTIONAL))
    {
      lm_args_add (args, name, text);
      return TRUE;
    }
  if (lm_yaml_node_to_bool (node, &on, NULL))
    {
      if (on)
        lm_args_add (args, name, NULL);
      return TRUE;
    }
  if (!(option->flags & LM_OPTION_OPTIONAL))
    return wrong (node, error, "true or false is needed here");
  lm_args_add (args, name, text);
  return TRUE;
}

static gboolean
read_words (const LmYamlNode *node, char ***out_words, GError **error)
{
  g_autoptr (GError) detail = NULL;
  if (lm_yaml_node_get_kind (node) == LM_YAML_MAPPING)
    {
      /* selections: {os: debian, web: nginx} */
      g_autoptr (GStrvBuilder) words = g_strv_builder_new ();
      for (guint i = 0; i < lm_yaml_node_get_length (node); i++)
        {
          const char *value = lm_yaml_node_get_text (lm_yaml_node_get_item (node, i));
          if (value == NULL)
            return wrong (lm_yaml_node_get_item (node, i), error, "the name of a layer is needed here");
          g_autofree char *word = g_strdup_printf ("%s=%s", lm_yaml_node_get_key (node, i), value);
          g_strv_builder_add (words, word);
        }
      *out_words = g_strv_builder_end (words);
      return TRUE;
    }
  if (!lm_yaml_node_to_strv (node, out_words, &detail))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s", detail->message);
  return TRUE;
}

static gboolean
merge_words (LmArgs *args, const LmYamlNode *root, GError **error)
{
  const LmYamlNode *name = lm_yaml_node_lookup (root, "name");
  const LmYamlNode *selections = lm_yaml_node_lookup (root, "selections");
  if (lm_args_n_words (args) == 0 && name != NULL)
    {
      const char *text = lm_yaml_node_get_text (name);
      if (text == NULL)
        return wrong (name, error, "the machine's name is needed here");
      lm_args_add_word (args, text);
    }
  if (lm_args_n_words (args) <= 1 && selections != NULL)
    {
      g_auto (GStrv) words = NULL;
      if (!read_words (selections, &words, error))
        return FALSE;
      for (char **word = words; *word; word++)
        lm_args_add_word (args, *word);
    }
  return TRUE;
}

gboolean
lm_spec_file_merge (LmArgs *args, const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = lm_file_read (path, MAX_SIZE, cancellable, &failure);
  gsize size = 0;
  const char *text = bytes ? g_bytes_get_data (bytes, &size) : NULL;
  g_autoptr (LmYamlNode) root = bytes ? lm_yaml_node_parse (path, text, size, NULL, &failure) : NULL;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (root == NULL)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s", failure->message);
  if (lm_yaml_node_get_kind (root) != LM_YAML_MAPPING)
    return wrong (root, error, "a mapping of options is needed");
  for (guint i = 0; i < lm_yaml_node_get_length (root); i++)
    {
      const char *key = lm_yaml_node_get_key (root, i);
      const LmYamlNode *value = lm_yaml_node_get_item (root, i);
      if (strcmp (key, "name") == 0 || strcmp (key, "selections") == 0)
        continue;
      const LmOption *option = lm_args_option (args, key);
      if (option == NULL || !(option->flags & LM_OPTION_SPEC))
        {
          g_autofree char *what = g_strdup_printf ("\"%s\" is no option that a file can give this verb", key);
          return wrong (value, error, what);
        }
      if (!lm_args_has (args, key) && !add_value (args, option, value, error))
        return FALSE;
    }
  return merge_words (args, root, error);
}
