/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A YAML or JSON document as a tree, for what is small: configuration,
 * specifications. Duplicate keys are an error. Values know their line, and
 * every message begins with "NAME:LINE: ". */
#include "base/yaml.h"

typedef struct _LmYamlNode LmYamlNode;

/** lm_yaml_node_parse: the tree of the @size bytes at @text. @name names the
 * document in messages (a path, say). An empty document is a null scalar.
 * @limits may be NULL: lm_yaml_limits_small. Errors: LM_YAML_ERROR. */
LmYamlNode *lm_yaml_node_parse (const char *name, const char *text, gsize size, const LmYamlLimits *limits,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_yaml_node_free: frees a whole tree, given its root; NULL is ignored. */
void lm_yaml_node_free (LmYamlNode *root);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmYamlNode, lm_yaml_node_free)

/** lm_yaml_node_get_kind: scalar, sequence or mapping. */
LmYamlKind lm_yaml_node_get_kind (const LmYamlNode *node);

/** lm_yaml_node_get_length: items of a sequence, pairs of a mapping; 0 for a scalar. */
guint lm_yaml_node_get_length (const LmYamlNode *node);

/** lm_yaml_node_get_item: the item at @index of a sequence, the value at
 * @index of a mapping (in the order of the text); NULL beyond the end. */
const LmYamlNode *lm_yaml_node_get_item (const LmYamlNode *node, guint index);

/** lm_yaml_node_get_key: the key at @index of a mapping; NULL beyond the end. */
const char *lm_yaml_node_get_key (const LmYamlNode *node, guint index);

/** lm_yaml_node_lookup: the value of @key in a mapping; NULL when it is not
 * there, or @node is NULL or no mapping. */
const LmYamlNode *lm_yaml_node_lookup (const LmYamlNode *node, const char *key);

/** lm_yaml_node_is_null: whether it is a scalar that stands for nothing. */
gboolean lm_yaml_node_is_null (const LmYamlNode *node);

/** lm_yaml_node_get_text: a scalar's text as written, whatever its type;
 * NULL for a collection. */
const char *lm_yaml_node_get_text (const LmYamlNode *node);

/* The value as a type; LM_YAML_ERROR_TYPE when it is another. */
gboolean lm_yaml_node_to_bool (const LmYamlNode *node, gboolean *out_value, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_yaml_node_to_int (const LmYamlNode *node, gint64 min, gint64 max, gint64 *out_value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_yaml_node_throw: sets @error to LM_YAML_ERROR_TYPE, "NAME:LINE: " before
 * the message, and returns FALSE: for what a caller finds wrong at @node. */
gboolean lm_yaml_node_throw (const LmYamlNode *node, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);
