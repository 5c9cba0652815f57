/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A YAML or JSON document as a tree, for small documents such as configuration and
 * specifications. A duplicate key is an error. Each node knows its line, and every
 * message begins with "NAME:LINE: ". */
#include "base/yaml.h"

typedef struct _LmYamlNode LmYamlNode;

/** lm_yaml_node_parse: parses the @size bytes at @text. @name is what messages call
 * the document, for example its path. An empty document is a null scalar. If
 * @limits is NULL, lm_yaml_limits_small applies. Errors: LM_YAML_ERROR. */
LmYamlNode *lm_yaml_node_parse (const char *name, const char *text, gsize size, const LmYamlLimits *limits,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_yaml_node_free: frees a tree, given its root; NULL is ignored. */
void lm_yaml_node_free (LmYamlNode *root);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmYamlNode, lm_yaml_node_free)

/** lm_yaml_node_get_kind: returns whether @node is a scalar, a sequence or a
 * mapping. */
LmYamlKind lm_yaml_node_get_kind (const LmYamlNode *node);

/** lm_yaml_node_get_length: returns the number of items of a sequence or pairs of a
 * mapping; 0 for a scalar. */
guint lm_yaml_node_get_length (const LmYamlNode *node);

/** lm_yaml_node_get_item: returns the item at @index of a sequence, or the value at
 * @index of a mapping, in document order; NULL if there is none. */
const LmYamlNode *lm_yaml_node_get_item (const LmYamlNode *node, guint index);

/** lm_yaml_node_get_key: returns the key at @index of a mapping; NULL if there is
 * none. */
const char *lm_yaml_node_get_key (const LmYamlNode *node, guint index);

/** lm_yaml_node_lookup: returns the value of @key in a mapping; NULL if it is
 * missing, or @node is NULL or not a mapping. */
const LmYamlNode *lm_yaml_node_lookup (const LmYamlNode *node, const char *key);

/** lm_yaml_node_is_null: whether @node is a null scalar. */
gboolean lm_yaml_node_is_null (const LmYamlNode *node);

/** lm_yaml_node_get_text: returns the text of a scalar of any type as written; NULL
 * for a sequence or mapping. Owned by the tree. */
const char *lm_yaml_node_get_text (const LmYamlNode *node);

/* Return the value of @node; LM_YAML_ERROR_TYPE if it has another type. */
gboolean lm_yaml_node_to_bool (const LmYamlNode *node, gboolean *out_value, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_yaml_node_to_int (const LmYamlNode *node, gint64 min, gint64 max, gint64 *out_value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_yaml_node_throw: sets @error to LM_YAML_ERROR_TYPE, with "NAME:LINE: " before
 * the message, and returns FALSE. For errors that a caller finds in @node. */
gboolean lm_yaml_node_throw (const LmYamlNode *node, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);
