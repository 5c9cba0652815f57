/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "plan/plan.h"
#include "plan/chain.h"
#include "catalog/version.h"

#include <string.h>

void
lm_plan_item_free (LmPlanItem *item)
{
  if (item == NULL)
    return;
  lm_blob_clear (&item->blob);
  g_free (item->version);
  g_free (item->group);
  g_free (item->source);
  g_free (item->path);
  g_free (item->recipe);
  g_free (item);
}

void
lm_plan_free (LmPlan *plan)
{
  if (plan == NULL)
    return;
  g_strfreev (plan->selections);
  g_clear_pointer (&plan->layers, g_ptr_array_unref);
  g_clear_pointer (&plan->blobs, g_ptr_array_unref);
  g_free (plan->arch);
  g_free (plan->osinfo);
  g_free (plan->ready);
  g_free (plan->cmdline);
  g_strfreev (plan->notes);
  g_free (plan);
}

/* Asks @view whether and where the item is cached, and counts its bytes if it is not. */
static gboolean
look_up_item (LmPlan *plan, LmPlanItem *item, const LmPlanView *view, GError **error)
{
  gboolean cached = FALSE;
  if (!view->lookup (view->user_data, &item->blob, &cached, &item->path, error))
    return FALSE;
  item->action = cached ? LM_PLAN_CACHED : LM_PLAN_PULL;
  if (!cached)
    plan->bytes_to_pull += item->blob.size;
  return TRUE;
}

static gboolean
add_layer_item (LmPlan *plan, const LmLayer *layer, const LmBlob *build, const LmPlanView *view, GError **error)
{
  LmPlanItem *item = g_new0 (LmPlanItem, 1);
  lm_blob_copy (&item->blob, build);
  item->version = g_strdup (layer->version);
  item->group = g_strdup (layer->group);
  item->source = g_strdup (layer->source);
  g_ptr_array_add (plan->layers, item);
  return look_up_item (plan, item, view, error);
}

/* Adds a layer that is to be built. */
static void
add_build_item (LmPlan *plan, const LmResolution *r, const LmLayer *layer, const LmPlanOptions *options)
{
  LmPlanItem *item = g_new0 (LmPlanItem, 1);
  LmPlanRecipe recipe = { NULL };
  (void) options->find_recipe (options->user_data, layer->name, &recipe);
  item->blob.kind = LM_BLOB_LAYER;
  item->blob.name = g_strdup (layer->name);
  for (guint i = 0; i < r->selections->len && item->version == NULL; i++)
    if (strcmp (((LmSelection *) r->selections->pdata[i])->name, layer->name) == 0)
      item->version = g_strdup (((LmSelection *) r->selections->pdata[i])->version);
  item->group = g_strdup (layer->group);
  item->recipe = g_strdup (recipe.path);
  item->action = LM_PLAN_BUILD;
  g_ptr_array_add (plan->layers, item);
  plan->n_to_build++;
}

static gboolean
add_blob_item (LmPlan *plan, const LmLayer *layer, const LmBlob *blob, const LmPlanView *view, GPtrArray *notes, GError **error)
{
  LmPlanItem *item = g_new0 (LmPlanItem, 1);
  lm_blob_copy (&item->blob, blob);
  item->source = g_strdup (layer->source);
  g_ptr_array_add (plan->blobs, item);
  if (!look_up_item (plan, item, view, error))
    return FALSE;
  if (item->blob.size != blob->size)
    g_ptr_array_add (notes, g_strdup_printf ("the catalog %s is wrong about the %s of %s and is ignored: it says "
                                             "%" G_GUINT64_FORMAT " bytes, but the cached file has %" G_GUINT64_FORMAT,
                                             layer->source, blob->name, layer->name, blob->size, item->blob.size));
  return TRUE;
}

static void
replace_string (char **field, const char *value)
{
  if (value == NULL)
    return;
  g_free (*field);
  *field = g_strdup (value);
}

/* Collects what the layers, base first, say about the machine; the topmost one wins. */
static gboolean
add_machine_properties (LmPlan *plan, const GPtrArray *layers, const LmPlanView *view, GPtrArray *notes,
                        GError **error)
{
  const LmLayer *kernel = NULL, *initrd = NULL;
  for (guint i = 0; i < layers->len; i++)
    {
      const LmLayer *layer = layers->pdata[i];
      replace_string (&plan->osinfo, layer->osinfo);
      replace_string (&plan->ready, layer->ready);
      replace_string (&plan->cmdline, layer->cmdline);
      plan->memory = MAX (plan->memory, layer->memory);
      plan->disk = MAX (plan->disk, layer->disk);
      kernel = layer->kernel ? layer : kernel;
      initrd = layer->initrd ? layer : initrd;
    }
  return (kernel == NULL || add_blob_item (plan, kernel, kernel->kernel, view, notes, error))
         && (initrd == NULL || add_blob_item (plan, initrd, initrd->initrd, view, notes, error));
}

static const LmLayer *
find_layer_by_name (const GPtrArray *layers, const char *name)
{
  for (guint i = 0; i < layers->len; i++)
    if (strcmp (((LmLayer *) layers->pdata[i])->name, name) == 0)
      return layers->pdata[i];
  return NULL;
}

static char **
list_selections (const LmResolution *r, const GPtrArray *layers)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GHashTable) listed = g_hash_table_new (g_direct_hash, g_direct_equal);
  for (guint i = 0; i < r->selections->len; i++)
    {
      const LmLayer *layer = find_layer_by_name (layers, ((LmSelection *) r->selections->pdata[i])->name);
      if (layer == NULL || !g_hash_table_add (listed, (gpointer) layer))
        continue;
      /* One that is not built has no version yet. */
      g_autofree char *text = layer->builds->len > 0 ? g_strdup_printf ("%s=%s@%s", layer->group, layer->name, layer->version)
                                                     : g_strdup_printf ("%s=%s", layer->group, layer->name);
      g_strv_builder_add (builder, text);
    }
  return g_strv_builder_end (builder);
}

/* Adds a note for each layer whose version in the chain is not the one that was resolved. */
static void
list_other_versions (const LmResolution *r, const GPtrArray *layers, GPtrArray *notes)
{
  for (guint i = 0; i < r->layers->len; i++)
    {
      const LmLayer *newest = ((LmCandidate *) r->layers->pdata[i])->layer;
      const LmLayer *taken = find_layer_by_name (layers, newest->name);
      if (taken == NULL || lm_version_compare (taken->version, newest->version) == 0)
        continue;
      g_ptr_array_add (notes, g_strdup_printf ("%s %s is used because no builds combine the selection with %s",
                                               taken->name, taken->version, newest->version));
    }
}

/* NULL also if a lookup failed, because then the result of the search cannot be relied on. */
static LmChain *
find_chain (const LmCatalogSet *set, LmFacts *facts, const LmResolution *resolution, const LmPlanOptions *options, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree LmChain *chain = lm_chain_find (set, facts, resolution, &failure);
  if (chain == NULL && options != NULL && options->find_recipe != NULL)
    {
      g_clear_error (&failure);
      chain = lm_chain_find_nearest (set, facts, resolution, options, &failure);
    }
  if (!lm_facts_check (facts, error))
    return NULL;
  if (chain == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return g_steal_pointer (&chain);
}

/* Adds the layers of @chain to @plan and to @layers. */
static gboolean
add_chain (LmPlan *plan, const LmCatalogSet *set, LmFacts *facts, const LmResolution *resolution, const LmChain *chain,
           const LmPlanOptions *options, const LmPlanView *view, GPtrArray *layers, GPtrArray *notes, GError **error)
{
  for (guint i = 0; i < chain->length; i++)
    {
      const LmChainLink *link = &chain->links[i];
      const LmCatalog *catalog = lm_catalog_set_get (set, link->candidate->ref.catalog);
      guint n, first = lm_catalog_get_builds (catalog, link->candidate->ref.layer, &n);
      LmLayer *layer = lm_catalog_set_load_layer (set, link->candidate->ref);
      g_ptr_array_add (layers, layer);
      if (link->build == LM_CATALOG_NONE)
        {
          add_build_item (plan, resolution, layer, options);
          continue;
        }
      if (!add_layer_item (plan, layer, &lm_layer_get_build (layer, link->build - first)->blob, view, error))
        return FALSE;
      lm_facts_list_contradictions (facts, link->candidate->ref.catalog, link->build, layer->name, notes);
    }
  return TRUE;
}

LmPlan *
lm_plan_new (const LmCatalogSet *set, const char *const *selections, const LmPlanOptions *options,
             const LmPlanView *view, GError **error)
{
  g_autoptr (LmResolution) resolution = lm_resolve (set, selections, options ? options->arch : NULL, error);
  g_autoptr (LmFacts) facts = lm_facts_new (set, view);
  g_autofree LmChain *chain = resolution ? find_chain (set, facts, resolution, options, error) : NULL;
  if (chain == NULL)
    return NULL;
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmPlan) plan = g_new0 (LmPlan, 1);
  plan->layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_plan_item_free);
  plan->blobs = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_plan_item_free);
  plan->arch = g_strdup (resolution->arch);
  if (!add_chain (plan, set, facts, resolution, chain, options, view, layers, notes, error)
      || !add_machine_properties (plan, layers, view, notes, error))
    return NULL;
  plan->selections = list_selections (resolution, layers);
  if (plan->n_to_build == 0)
    list_other_versions (resolution, layers, notes);
  g_ptr_array_add (notes, NULL);
  plan->notes = (char **) g_ptr_array_free (g_steal_pointer (&notes), FALSE);
  return g_steal_pointer (&plan);
}

static void
append_blobs (GPtrArray *blobs, const GPtrArray *items)
{
  for (guint i = 0; i < items->len; i++)
    g_ptr_array_add (blobs, &((LmPlanItem *) items->pdata[i])->blob);
}

GPtrArray *
lm_plan_list_layers (const LmPlan *plan)
{
  GPtrArray *blobs = g_ptr_array_new ();
  append_blobs (blobs, plan->layers);
  return blobs;
}

GPtrArray *
lm_plan_list_blobs (const LmPlan *plan)
{
  GPtrArray *blobs = lm_plan_list_layers (plan);
  append_blobs (blobs, plan->blobs);
  return blobs;
}
