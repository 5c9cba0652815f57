/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/launch-roles.h"
#include "base/error.h"
#include "base/text.h"
#include "build/recipe-dir.h"
#include "cache/database.h"
#include "catalog/installed.h"
#include "catalog/relation.h"
#include "catalog/selection.h"
#include "ops/prepare.h"

#include <string.h>

G_DEFINE_QUARK (lm-launch-roles-error-quark, lm_launch_roles_error)

typedef struct
{
  const LmHost *host;
  LmCatalogSet *set;
  GPtrArray *recipes;
} Context;

static void
context_clear (Context *context)
{
  lm_catalog_set_free (context->set);
  g_clear_pointer (&context->recipes, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Context, context_clear)

/* The packages of one role. */
typedef struct
{
  GHashTable *packages; /* a set */
  GHashTable *layers;   /* names, a set */
} Wanted;

static gboolean add_layer (const Context *context, Wanted *wanted, const char *name);

static gboolean
add_recipe (const Context *context, Wanted *wanted, const LmRecipe *recipe)
{
  for (char **package = recipe->packages; *package != NULL; package++)
    g_hash_table_add (wanted->packages, g_strndup (*package, strcspn (*package, " <>")));
  for (char **on = recipe->on; on != NULL && *on != NULL; on++)
    {
      g_autoptr (LmSelection) selection = lm_selection_parse (*on, NULL);
      if (selection != NULL && !add_layer (context, wanted, selection->name))
        return FALSE;
    }
  return TRUE;
}

/* Adds what the first build says of which the packages are recorded. */
static gboolean
add_recorded (const Context *context, Wanted *wanted, const LmLayer *layer)
{
  for (guint i = 0; i < layer->builds->len; i++)
    {
      char **package = lm_layer_get_build (layer, i)->packages;
      for (; package != NULL && *package != NULL; package++)
        g_hash_table_add (wanted->packages, g_strndup (*package, strcspn (*package, ":=")));
      if (lm_layer_get_build (layer, i)->packages != NULL)
        return TRUE;
    }
  return FALSE;
}

static gboolean
add_listed (const Context *context, Wanted *wanted, const char *name)
{
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  lm_catalog_set_find_name (context->set, name, refs);
  for (guint i = 0; i < refs->len; i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_set_load_layer (context->set, g_array_index (refs, LmLayerRef, i));
      if (!add_recorded (context, wanted, layer))
        continue;
      for (char **text = layer->requires; *text != NULL; text++)
        {
          LmRelation relation;
          if (lm_relation_parse (*text, &relation) && !add_layer (context, wanted, relation.name))
            return FALSE;
        }
      return TRUE;
    }
  return FALSE;
}

/* Adds what the layer @name and those below it ask for. FALSE if that is not known of one of them. */
static gboolean
add_layer (const Context *context, Wanted *wanted, const char *name)
{
  const LmRecipe *recipe = lm_recipe_dir_find (context->recipes, name);
  if (!g_hash_table_add (wanted->layers, g_strdup (name)))
    return TRUE;
  return recipe != NULL ? add_recipe (context, wanted, recipe) : add_listed (context, wanted, name);
}

/* Returns the keys of @table, sorted; they are owned by it. */
static GPtrArray *
sort_keys (GHashTable *table)
{
  GPtrArray *keys = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_ptr_array_add (keys, key);
  g_ptr_array_sort (keys, lm_text_compare);
  g_ptr_array_add (keys, NULL);
  return keys;
}

/* Adds the role of the layers @names, separated by "+", which were selected together @count times. */
static void
add_role (const Context *context, LmRoles *roles, const char *names, gint64 count)
{
  g_autoptr (GHashTable) packages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) layers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Wanted wanted = { packages, layers };
  g_auto (GStrv) words = g_strsplit (names, "+", -1);
  gboolean known = TRUE;
  for (char **word = words; known && *word != NULL; word++)
    {
      known = add_layer (context, &wanted, *word);
      if (known)
        continue;
      g_autofree char *text = g_strdup_printf ("launches of %s are left out, because neither a recipe nor a catalog says what packages %s has",
                                               names, *word);
      context->host->warning (context->host->user_data, text);
    }
  if (!known || g_hash_table_size (packages) == 0)
    return;
  g_autoptr (GPtrArray) list = sort_keys (packages);
  lm_roles_add (roles, names, (double) count, (char *const *) list->pdata);
}

/* Returns the names of the layers in @selections, sorted, separated by "+". */
static char *
name_layers (const char *selections)
{
  g_auto (GStrv) words = g_strsplit (selections, " ", -1);
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (char **word = words; *word != NULL; word++)
    {
      g_autoptr (LmSelection) selection = lm_selection_parse (*word, NULL);
      if (selection != NULL)
        g_hash_table_add (names, g_strdup (selection->name));
    }
  g_autoptr (GPtrArray) sorted = sort_keys (names);
  return g_strjoinv ("+", (char **) sorted->pdata);
}

/* Returns how often each set of layers was launched, whatever their versions. */
static GHashTable *
count_sets (const LmHost *host, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmDatabase) database = lm_database_open_readonly (host->state_dir, warnings, error);
  g_autoptr (GHashTable) counts = database != NULL ? lm_database_count_selections (database, error) : NULL;
  GHashTable *sets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer selections, count;
  for (guint i = 0; i < warnings->len; i++)
    host->warning (host->user_data, g_ptr_array_index (warnings, i));
  if (counts == NULL)
    {
      g_hash_table_unref (sets);
      return NULL;
    }
  g_hash_table_iter_init (&iter, counts);
  while (g_hash_table_iter_next (&iter, &selections, &count))
    {
      char *names = name_layers (selections);
      const gint64 *known = g_hash_table_lookup (sets, names);
      const gint64 sum = *(gint64 *) count + (known != NULL ? *known : 0);
      g_hash_table_insert (sets, names, g_memdup2 (&sum, sizeof sum));
    }
  g_hash_table_remove (sets, "");
  return sets;
}

gboolean
lm_launch_roles_add (const LmHost *host, LmRoles *roles, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_auto (Context) context = { .host = host };
  g_autoptr (GHashTable) sets = count_sets (host, error);
  const guint before = roles->roles->len;
  if (sets == NULL
      || (context.set = lm_prepare_catalogs (host, cancellable, error)) == NULL
      || (context.recipes = lm_recipe_dir_load (host->recipe_dirs, warnings, cancellable, error)) == NULL)
    return FALSE;
  for (guint i = 0; i < warnings->len; i++)
    host->warning (host->user_data, g_ptr_array_index (warnings, i));
  g_autoptr (GPtrArray) names = sort_keys (sets);
  for (guint i = 0; i + 1 < names->len; i++)
    {
      const gint64 *count = g_hash_table_lookup (sets, g_ptr_array_index (names, i));
      add_role (&context, roles, g_ptr_array_index (names, i), *count);
    }
  return roles->roles->len > before
         || lm_throw (error, LM_LAUNCH_ROLES_ERROR, LM_LAUNCH_ROLES_ERROR_NONE,
                      "the history has no launch of which the packages are known; give a file of roles instead");
}
