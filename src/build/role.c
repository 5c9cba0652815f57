/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/role.h"
#include "base/text.h"
#include "base/yaml-node.h"

#include <math.h>
#include <string.h>

#define MAX_NAME 64
#define MAX_WEIGHT 1e9

static void
free_role (gpointer data)
{
  LmRole *role = data;
  g_free (role->name);
  g_strfreev (role->packages);
  g_free (role);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmRole, free_role)

void
lm_roles_free (LmRoles *roles)
{
  if (roles == NULL)
    return;
  g_strfreev (roles->base);
  g_ptr_array_unref (roles->roles);
  g_free (roles);
}

LmRoles *
lm_roles_new (void)
{
  LmRoles *roles = g_new0 (LmRoles, 1);
  roles->base = g_new0 (char *, 1);
  roles->roles = g_ptr_array_new_with_free_func (free_role);
  return roles;
}

static int
compare_roles (gconstpointer a, gconstpointer b)
{
  const LmRole *one = *(const LmRole *const *) a, *other = *(const LmRole *const *) b;
  return strcmp (one->name, other->name);
}

static gboolean
has_role (const LmRoles *roles, const char *name)
{
  for (guint i = 0; i < roles->roles->len; i++)
    if (strcmp (((const LmRole *) g_ptr_array_index (roles->roles, i))->name, name) == 0)
      return TRUE;
  return FALSE;
}

void
lm_roles_add (LmRoles *roles, const char *name, double weight, char *const *packages)
{
  LmRole *role = g_new0 (LmRole, 1);
  role->name = g_strdup (name);
  for (guint i = 2; has_role (roles, role->name); i++)
    {
      g_free (role->name);
      role->name = g_strdup_printf ("%s-%u", name, i);
    }
  role->weight = weight;
  role->packages = g_strdupv ((char **) packages);
  g_ptr_array_add (roles->roles, role);
  g_ptr_array_sort (roles->roles, compare_roles);
}

/* A list, or a single package as a list of one, as in a recipe. */
static char **
parse_packages (const LmYamlNode *node, GError **error)
{
  g_autoptr (GStrvBuilder) packages = g_strv_builder_new ();
  const gboolean single = lm_yaml_node_get_kind (node) == LM_YAML_SCALAR;
  if (lm_yaml_node_get_kind (node) == LM_YAML_MAPPING)
    {
      lm_yaml_node_throw (node, error, "a list of packages is expected");
      return NULL;
    }
  for (guint i = 0; i < (single ? 1 : lm_yaml_node_get_length (node)); i++)
    {
      const LmYamlNode *item = single ? node : lm_yaml_node_get_item (node, i);
      const char *text = lm_yaml_node_get_text (item);
      if (text == NULL || *text == '\0' || lm_text_find_unprintable (text) != NULL)
        {
          lm_yaml_node_throw (item, error, "the name of a package is expected");
          return NULL;
        }
      g_strv_builder_add (packages, text);
    }
  return g_strv_builder_end (packages);
}

static gboolean
parse_weight (const LmYamlNode *node, double *out_weight, GError **error)
{
  const char *text = lm_yaml_node_get_text (node);
  char *end = NULL;
  const double weight = text ? g_ascii_strtod (text, &end) : 0;
  /* The comparisons are also false for what is not a number. */
  if (text == NULL || end == text || text[strspn (text, "0123456789.eE+-")] != '\0' || *end != '\0' || !(weight >= 0 && weight <= MAX_WEIGHT))
    return lm_yaml_node_throw (node, error, "the weight must be a number from 0 to %.0f", MAX_WEIGHT);
  *out_weight = weight;
  return TRUE;
}

static gboolean
parse_role_member (const char *key, const LmYamlNode *value, LmRole *role, GError **error)
{
  if (strcmp (key, "name") == 0)
    {
      const char *text = lm_yaml_node_get_text (value);
      if (text == NULL || !lm_text_is_word (text, "+-._", MAX_NAME))
        return lm_yaml_node_throw (value, error, "the name of a role has 1 to %d letters, digits and \"+-._\"", MAX_NAME);
      role->name = g_strdup (text);
      return TRUE;
    }
  if (strcmp (key, "weight") == 0)
    return parse_weight (value, &role->weight, error);
  if (strcmp (key, "packages") == 0)
    return (role->packages = parse_packages (value, error)) != NULL;
  return lm_yaml_node_throw (value, error, "unknown key \"%s\"; a role has name, weight and packages", key);
}

static LmRole *
parse_role (const LmYamlNode *node, GHashTable *names, GError **error)
{
  g_autoptr (LmRole) role = g_new0 (LmRole, 1);
  role->weight = 1;
  for (guint i = 0; i < lm_yaml_node_get_length (node); i++)
    {
      const char *key = lm_yaml_node_get_key (node, i);
      if (key == NULL)
        break;
      if (!parse_role_member (key, lm_yaml_node_get_item (node, i), role, error))
        return NULL;
    }
  if (role->name == NULL || role->packages == NULL || *role->packages == NULL)
    lm_yaml_node_throw (node, error, "a role has a name and at least one package");
  else if (!g_hash_table_add (names, role->name))
    lm_yaml_node_throw (node, error, "there are two roles with the name %s", role->name);
  else
    return g_steal_pointer (&role);
  return NULL;
}

static gboolean
parse_members (const LmYamlNode *root, LmRoles *roles, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < lm_yaml_node_get_length (root); i++)
    {
      const char *key = lm_yaml_node_get_key (root, i);
      const LmYamlNode *value = lm_yaml_node_get_item (root, i);
      if (g_strcmp0 (key, "base") == 0)
        {
          g_strfreev (roles->base);
          if ((roles->base = parse_packages (value, error)) == NULL)
            return FALSE;
          continue;
        }
      if (g_strcmp0 (key, "roles") != 0)
        return lm_yaml_node_throw (value, error, "unknown key \"%s\"; a file of roles has base and roles", key ? key : "");
      if (lm_yaml_node_get_kind (value) != LM_YAML_SEQUENCE)
        return lm_yaml_node_throw (value, error, "a list of roles is expected");
      for (guint j = 0; j < lm_yaml_node_get_length (value); j++)
        {
          LmRole *role = parse_role (lm_yaml_node_get_item (value, j), names, error);
          if (role == NULL)
            return FALSE;
          g_ptr_array_add (roles->roles, role);
        }
    }
  return roles->roles->len > 0 || lm_yaml_node_throw (root, error, "there are no roles");
}

LmRoles *
lm_roles_parse (const char *name, const char *text, gsize size, GError **error)
{
  g_autoptr (LmYamlNode) root = lm_yaml_node_parse (name, text, size, NULL, error);
  g_autoptr (LmRoles) roles = lm_roles_new ();
  if (root == NULL)
    return NULL;
  if (lm_yaml_node_get_kind (root) != LM_YAML_MAPPING)
    {
      lm_yaml_node_throw (root, error, "a file of roles is a mapping with the keys base and roles");
      return NULL;
    }
  if (!parse_members (root, roles, error))
    return NULL;
  g_ptr_array_sort (roles->roles, compare_roles);
  return g_steal_pointer (&roles);
}
