/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/recipe-dir.h"
#include "base/text.h"
#include "build/recipe-layer.h"

#include <string.h>

#define SOURCE "recipes"

static gboolean
is_recipe_name (const char *name)
{
  return *name != '.' && !g_str_has_suffix (name, ".lock.json")
         && (g_str_has_suffix (name, ".yaml") || g_str_has_suffix (name, ".yml") || g_str_has_suffix (name, ".json"));
}

/* Returns the names of the recipes in @path, sorted. */
static GPtrArray *
list_names (const char *path, GPtrArray *warnings)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GDir) dir = g_dir_open (path, 0, &failure);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  if (dir == NULL && !g_error_matches (failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    g_ptr_array_add (warnings, g_strdup (failure->message));
  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    if (is_recipe_name (name))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, lm_text_compare);
  return names;
}

static gboolean
load_dir (const char *dir, GPtrArray *recipes, GPtrArray *warnings, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) names = list_names (dir, warnings);
  for (guint i = 0; i < names->len; i++)
    {
      g_autoptr (GError) failure = NULL;
      g_autofree char *path = g_build_filename (dir, g_ptr_array_index (names, i), NULL);
      g_autoptr (LmRecipe) recipe = lm_recipe_load (path, cancellable, &failure);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (recipe == NULL)
        g_ptr_array_add (warnings, g_strdup_printf ("a recipe is left out: %s", failure->message));
      else if (lm_recipe_dir_find (recipes, recipe->name) == NULL)
        g_ptr_array_add (recipes, g_steal_pointer (&recipe));
    }
  return TRUE;
}

GPtrArray *
lm_recipe_dir_load (const char *const *dirs, GPtrArray *warnings, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) recipes = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_recipe_free);
  for (; dirs != NULL && *dirs != NULL; dirs++)
    if (!load_dir (*dirs, recipes, warnings, cancellable, error))
      return NULL;
  return g_steal_pointer (&recipes);
}

const LmRecipe *
lm_recipe_dir_find (const GPtrArray *recipes, const char *name)
{
  for (guint i = 0; i < recipes->len; i++)
    if (strcmp (((LmRecipe *) g_ptr_array_index (recipes, i))->name, name) == 0)
      return g_ptr_array_index (recipes, i);
  return NULL;
}

/* Adds the group @name to @used. */
static void
add_group (GPtrArray *used, const GPtrArray *groups, const char *name)
{
  for (guint i = 0; i < used->len; i++)
    if (strcmp (((LmGroup *) g_ptr_array_index (used, i))->name, name) == 0)
      return;
  LmGroup *group = g_new0 (LmGroup, 1);
  group->name = g_strdup (name);
  group->multiple = lm_groups_allow_multiple (groups, name);
  g_ptr_array_add (used, group);
}

LmCatalog *
lm_recipe_dir_catalog (const GPtrArray *recipes, const GPtrArray *groups, GError **error)
{
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  g_autoptr (GPtrArray) used = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_group_free);
  for (guint i = 0; i < recipes->len; i++)
    {
      const LmRecipe *recipe = g_ptr_array_index (recipes, i);
      const char *version = recipe->version != NULL ? recipe->version : LM_RECIPE_VERSION_UNKNOWN;
      g_ptr_array_add (layers, lm_recipe_layer_new (recipe, version, NULL, NULL, NULL));
      add_group (used, groups, recipe->group);
    }
  return lm_catalog_new_unbuilt (SOURCE, used, layers, error);
}
