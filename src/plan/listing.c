/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "plan/listing.h"
#include "base/json.h"
#include "plan/lineage.h"

static gboolean
is_build_cached (LmFacts *facts, const LmBlob *build)
{
  LmLayerRef ref;
  guint number;
  gboolean cached = FALSE;
  if (lm_facts_find_build (facts, &build->digest, 0, NULL, &ref, &number))
    (void) lm_facts_get_build (facts, ref.catalog, number, &cached);
  return cached;
}

static gboolean
is_chain_cached (LmFacts *facts, const LmBlob *build)
{
  LmLayerRef ref;
  LmLineage lineage;
  guint number;
  if (!is_build_cached (facts, build) || !lm_facts_find_build (facts, &build->digest, 0, NULL, &ref, &number)
      || !lm_lineage_find (facts, ref, number, NULL, &lineage))
    return FALSE;
  gboolean cached = TRUE;
  for (guint i = 1; i < lineage.length && cached; i++)
    (void) lm_facts_get_build (facts, lineage.layers[i].catalog, lineage.builds[i], &cached);
  return cached;
}

gboolean
lm_listing_is_cached (LmFacts *facts, const LmLayer *layer)
{
  for (guint i = 0; i < layer->builds->len; i++)
    if (is_chain_cached (facts, &lm_layer_get_build (layer, i)->blob))
      return TRUE;
  return FALSE;
}

static void
add_listed_group (JsonBuilder *b, const LmGroup *group)
{
  json_builder_begin_object (b);
  lm_json_add_string (b, "name", group->name);
  lm_json_add_string (b, "title", group->title);
  lm_json_add_bool (b, "required", group->required);
  lm_json_add_bool (b, "multiple", group->multiple);
  json_builder_end_object (b);
}

static void
add_listed_build (JsonBuilder *b, const LmBlob *build, LmFacts *facts)
{
  json_builder_begin_object (b);
  lm_json_add_digest (b, "digest", &build->digest);
  lm_json_add_digest (b, "parent", build->has_parent ? &build->parent : NULL);
  lm_json_add_uint (b, "size", build->size);
  lm_json_add_bool (b, "cached", is_build_cached (facts, build));
  lm_json_add_urls (b, "urls", build->urls);
  json_builder_end_object (b);
}

static void
add_listed_layer (JsonBuilder *b, const LmLayer *layer, LmFacts *facts)
{
  json_builder_begin_object (b);
  lm_json_add_string (b, "name", layer->name);
  lm_json_add_string (b, "version", layer->version);
  lm_json_add_string (b, "group", layer->group);
  lm_json_add_string (b, "summary", layer->summary);
  lm_json_add_string (b, "arch", layer->arch);
  lm_json_add_string (b, "osinfo", layer->osinfo);
  lm_json_add_string (b, "source", layer->source);
  lm_json_add_strv (b, "provides", layer->provides);
  lm_json_add_strv (b, "requires", layer->requires);
  lm_json_add_strv (b, "conflicts", layer->conflicts);
  lm_json_add_bool (b, "cached", lm_listing_is_cached (facts, layer));
  json_builder_set_member_name (b, "builds");
  json_builder_begin_array (b);
  for (guint i = 0; i < layer->builds->len; i++)
    add_listed_build (b, &lm_layer_get_build (layer, i)->blob, facts);
  json_builder_end_array (b);
  json_builder_end_object (b);
}

static void
add_listed_recipe (JsonBuilder *b, const LmListingRecipe *recipe)
{
  json_builder_begin_object (b);
  lm_json_add_string (b, "name", recipe->name);
  lm_json_add_string (b, "version", recipe->version);
  lm_json_add_string (b, "group", recipe->group);
  lm_json_add_string (b, "summary", recipe->summary);
  lm_json_add_string (b, "recipe", recipe->path);
  json_builder_end_object (b);
}

char *
lm_listing_to_json (const LmCatalogSet *set, const LmPlanView *view, const GArray *recipes, GError **error)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();
  g_autoptr (GPtrArray) groups = lm_catalog_set_load_groups (set);
  g_autoptr (GPtrArray) layers = lm_catalog_set_load_layers (set);
  g_autoptr (LmFacts) facts = lm_facts_new (set, view);
  json_builder_begin_object (b);
  json_builder_set_member_name (b, "groups");
  json_builder_begin_array (b);
  for (guint i = 0; i < groups->len; i++)
    add_listed_group (b, groups->pdata[i]);
  json_builder_end_array (b);
  json_builder_set_member_name (b, "layers");
  json_builder_begin_array (b);
  for (guint i = 0; i < layers->len; i++)
    add_listed_layer (b, layers->pdata[i], facts);
  json_builder_end_array (b);
  json_builder_set_member_name (b, "recipes");
  json_builder_begin_array (b);
  for (guint i = 0; recipes != NULL && i < recipes->len; i++)
    add_listed_recipe (b, &g_array_index (recipes, LmListingRecipe, i));
  json_builder_end_array (b);
  json_builder_end_object (b);
  return lm_facts_check (facts, error) ? lm_json_finish (b) : NULL;
}
