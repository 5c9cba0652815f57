/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/size.h"
#include "build/recipe-dir.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/cache-view.h"
#include "plan/listing.h"
#include "source/source.h"

#include <stdio.h>

static gboolean
print_layers (const LmCatalogSet *set, const LmPlanView *view, GError **error)
{
  g_autoptr (GPtrArray) layers = lm_catalog_set_load_layers (set);
  g_autoptr (LmFacts) facts = lm_facts_new (set, view);
  g_autofree gboolean *cached = g_new0 (gboolean, layers->len);
  for (guint i = 0; i < layers->len; i++)
    cached[i] = lm_listing_is_cached (facts, g_ptr_array_index (layers, i));
  if (!lm_facts_check (facts, error))
    return FALSE;
  /* Several catalogs may have the same layer. */
  gboolean several = lm_catalog_set_get_length (set) > 1;
  LmTable *table = lm_table_new ((const char *const[]){ "GROUP", "NAME", "VERSION", ">SIZE", "CACHED", "SUMMARY",
                                                        several ? "SOURCE" : NULL, NULL });
  for (guint i = 0; i < layers->len; i++)
    {
      const LmLayer *layer = g_ptr_array_index (layers, i);
      guint64 smallest = G_MAXUINT64;
      for (guint b = 0; b < layer->builds->len; b++)
        smallest = MIN (smallest, lm_layer_get_build (layer, b)->blob.size);
      g_autofree char *size = lm_size_format (smallest);
      lm_table_add (table, (const char *const[]){ layer->group, layer->name, layer->version, size,
                                                  cached[i] ? "yes" : "no", layer->summary,
                                                  several ? layer->source : NULL });
    }
  lm_table_print (table);
  return TRUE;
}

/* ---- what no catalog lists, but what can be built */

/* Returns those of the recipes (LmRecipe) on this host whose layers no catalog of @set lists. */
static GPtrArray *
load_recipes (const LmInvocation *invocation, const LmCatalogSet *set, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  GPtrArray *recipes = lm_recipe_dir_load ((const char *const *) invocation->settings->recipe_dirs, warnings, invocation->cancellable, error);
  lm_cli_warnings (warnings);
  for (guint i = recipes != NULL ? recipes->len : 0; i-- > 0;)
    {
      g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
      lm_catalog_set_find_name (set, ((LmRecipe *) g_ptr_array_index (recipes, i))->name, refs);
      if (refs->len > 0)
        g_ptr_array_remove_index (recipes, i);
    }
  return recipes;
}

static void
print_recipes (const GPtrArray *recipes)
{
  for (guint i = 0; i < recipes->len; i++)
    printf ("%s%s", i == 0 ? "not built yet, but there are recipes: " : ", ", ((LmRecipe *) g_ptr_array_index (recipes, i))->name);
  if (recipes->len > 0)
    putchar ('\n');
}

static gboolean
print_json (const LmCatalogSet *set, const LmPlanView *view, const GPtrArray *recipes, GError **error)
{
  g_autoptr (GArray) listed = g_array_new (FALSE, FALSE, sizeof (LmListingRecipe));
  for (guint i = 0; i < recipes->len; i++)
    {
      const LmRecipe *recipe = g_ptr_array_index (recipes, i);
      const LmListingRecipe one = { recipe->name, recipe->group, recipe->version, recipe->summary, recipe->path };
      g_array_append_val (listed, one);
    }
  g_autofree char *json = lm_listing_to_json (set, view, listed, error);
  if (json != NULL)
    fputs (json, stdout);
  return json != NULL;
}

static gboolean
run_list (const LmInvocation *invocation, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmCatalogSet) set
    = lm_source_load_all (invocation->settings->state_dir, lm_args_get_all (invocation->args, "catalog"), warnings,
                          invocation->cancellable, error);
  lm_cli_warnings (warnings);
  if (set == NULL)
    return FALSE;
  g_autoptr (LmCache) cache = lm_cache_open_readonly (invocation->settings->state_dir, NULL, error);
  if (cache == NULL)
    return FALSE;
  LmPlanView view = { lm_cache_view_lookup, &(LmCacheView){ cache, invocation->cancellable } };
  g_autoptr (GPtrArray) recipes = load_recipes (invocation, set, error);
  if (recipes == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    return print_json (set, &view, recipes, error);
  if (lm_catalog_set_get_length (set) == 0)
    lm_output_warning ("there is no catalog; add one with \"lamina catalog add NAME URL|FILE\"");
  else if (!print_layers (set, &view, error))
    return FALSE;
  print_recipes (recipes);
  return TRUE;
}

const LmVerb lm_verb_list = {
  .name = "list",
  .page = "lamina-catalog",
  .summary = "list the layers in the catalogs and whether they are cached",
  .run = run_list,
};
