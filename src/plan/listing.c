/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "plan/listing.h"
#include "base/json.h"
#include "plan/chain.h"

static gboolean
is_there (const LmPlanView *view, const LmDigest *digest)
{
  g_autofree char *path = NULL;
  return view != NULL && view->lookup (view->user_data, LM_BLOB_LAYER, digest, &path);
}

static gboolean
is_chain_cached (const LmCatalogSet *set, const LmBlob *build, const LmPlanView *view)
{
  const LmDigest *parent = build->has_parent ? &build->parent : NULL;
  gboolean cached = is_there (view, &build->digest);
  LmLayerRef ref = { 0, 0 }; /* whoever lists a file, it has one parent */
  for (guint depth = 1; cached && parent != NULL; depth++)
    {
      guint number;
      cached = depth < LM_CHAIN_MAX && is_there (view, parent)
               && lm_chain_find_build (set, parent, ref.catalog, NULL, &ref, &number);
      if (cached)
        parent = lm_catalog_get_build (lm_catalog_set_get (set, ref.catalog), number).parent;
    }
  return cached;
}

gboolean
lm_listing_is_cached (const LmCatalogSet *set, const LmLayer *layer, const LmPlanView *view)
{
  for (guint i = 0; i < layer->builds->len; i++)
    if (is_chain_cached (set, layer->builds->pdata[i], view))
      return TRUE;
  return FALSE;
}

static void
add_group (JsonBuilder *b, const LmGroup *group)
{
  json_builder_begin_object (b);
  lm_json_add_string (b, "name", group->name);
  lm_json_add_string (b, "title", group->title);
  lm_json_add_bool (b, "required", group->required);
  lm_json_add_bool (b, "multiple", group->multiple);
  json_builder_end_object (b);
}

static void
add_build (JsonBuilder *b, const LmBlob *build, const LmPlanView *view)
{
  json_builder_begin_object (b);
  lm_json_add_digest (b, "digest", &build->digest);
  lm_json_add_digest (b, "parent", build->has_parent ? &build->parent : NULL);
  lm_json_add_uint (b, "size", build->size);
  lm_json_add_bool (b, "cached", is_there (view, &build->digest));
  lm_json_add_urls (b, "urls", build->urls);
  json_builder_end_object (b);
}

static void
add_layer (JsonBuilder *b, const LmCatalogSet *set, const LmLayer *layer, const LmPlanView *view)
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
  lm_json_add_bool (b, "cached", lm_listing_is_cached (set, layer, view));
  json_builder_set_member_name (b, "builds");
  json_builder_begin_array (b);
  for (guint i = 0; i < layer->builds->len; i++)
    add_build (b, layer->builds->pdata[i], view);
  json_builder_end_array (b);
  json_builder_end_object (b);
}

char *
lm_listing_to_json (const LmCatalogSet *set, const LmPlanView *view)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();
  g_autoptr (GPtrArray) groups = lm_catalog_set_load_groups (set);
  g_autoptr (GPtrArray) layers = lm_catalog_set_load_layers (set);
  json_builder_begin_object (b);
  json_builder_set_member_name (b, "groups");
  json_builder_begin_array (b);
  for (guint i = 0; i < groups->len; i++)
    add_group (b, groups->pdata[i]);
  json_builder_end_array (b);
  json_builder_set_member_name (b, "layers");
  json_builder_begin_array (b);
  for (guint i = 0; i < layers->len; i++)
    add_layer (b, set, layers->pdata[i], view);
  json_builder_end_array (b);
  json_builder_end_object (b);
  return lm_json_finish (b);
}
