/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/chain-builder.h"
#include "author/builder-packages.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/size.h"
#include "build/payload.h"
#include "catalog/contents.h"
#include "source/local.h"

#include <string.h>

/* How often a layer is built that somebody removes at once; then the plan that needs it says what is missing. */
#define ATTEMPTS_MAX 3

/* ---- building */

/* Adds the file of @result to @blobs, and those that it boots with. */
static gboolean
list_files (const LmHost *host, const LmLayerResult *result, GPtrArray *blobs, GError **error)
{
  g_autoptr (LmCatalog) local = NULL;
  g_ptr_array_add (blobs, lm_blob_dup (&result->blob));
  if (!lm_local_load (host->state_dir, &local, error))
    return FALSE;
  const guint number = local != NULL ? lm_catalog_find_build (local, &result->blob.digest) : LM_CATALOG_NONE;
  if (number == LM_CATALOG_NONE)
    return TRUE;
  g_autoptr (LmLayer) layer = lm_catalog_load_layer (local, lm_catalog_get_build (local, number).layer);
  if (layer->kernel != NULL)
    g_ptr_array_add (blobs, lm_blob_dup (layer->kernel));
  if (layer->initrd != NULL)
    g_ptr_array_add (blobs, lm_blob_dup (layer->initrd));
  return TRUE;
}

/* Keeps what was built in the cache. *out_there is whether all of it was still there: "cache clear --only-copies"
 * may have come first. */
static gboolean
lease_result (const LmHost *host, const LmLayerResult *result, gboolean *out_there, GCancellable *cancellable, GError **error)
{
  const LmChainBuilder *builder = host->build_data;
  g_autoptr (GPtrArray) blobs = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_blob_free);
  g_autoptr (LmCache) cache = lm_cache_open (host->state_dir, &host->cache, error);
  if (cache == NULL || !list_files (host, result, blobs, error))
    return FALSE;
  LmLock *lease = lm_cache_lease (cache, blobs, cancellable, error);
  if (lease == NULL)
    return FALSE;
  g_ptr_array_add (builder->leases, lease);
  *out_there = TRUE;
  for (guint i = 0; i < blobs->len; i++)
    {
      LmCacheState state;
      if (!lm_cache_check (cache, g_ptr_array_index (blobs, i), &state, cancellable, error))
        return FALSE;
      *out_there = *out_there && state != LM_CACHE_MISSING;
    }
  return TRUE;
}

static gboolean
build_item (const LmHost *host, const LmPlanItem *item, const GPtrArray *below, GCancellable *cancellable, GError **error)
{
  const LmChainBuilder *builder = host->build_data;
  const LmBuilderRequest request = {
    .recipe = item->recipe,
    .version = item->version,
    .on = (const char *const *) below->pdata,
    .appliance = builder->appliance,
    .leave_lock = TRUE,
  };
  LmHost alone = *host;
  g_autofree char *text = g_strdup_printf ("building %s by %s", item->blob.name, item->recipe);
  alone.build = NULL;
  for (guint attempt = 1;; attempt++)
    {
      gboolean there = FALSE;
      host->status (host->user_data, text);
      g_autoptr (LmLayerResult) result = lm_builder_run (&alone, &request, cancellable, error);
      if (result == NULL || !lm_fault_point ("chain-before-lease", error) || !lease_result (host, result, &there, cancellable, error))
        return FALSE;
      if (!there && attempt < ATTEMPTS_MAX)
        continue;
      g_ptr_array_add (builder->results, g_steal_pointer (&result));
      return TRUE;
    }
}

gboolean
lm_chain_builder_run (const LmHost *host, const LmPlan *plan, GCancellable *cancellable, GError **error)
{
  const LmChainBuilder *builder = host->build_data;
  g_autoptr (GPtrArray) below = g_ptr_array_new_with_free_func (g_free); /* "NAME@VERSION", ends with NULL */
  g_ptr_array_add (below, NULL);
  for (guint i = 0; i < plan->layers->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (plan->layers, i);
      const char *version = item->version;
      if (item->action == LM_PLAN_BUILD)
        {
          if (!build_item (host, item, below, cancellable, error))
            return FALSE;
          version = ((LmLayerResult *) g_ptr_array_index (builder->results, builder->results->len - 1))->version;
        }
      g_ptr_array_insert (below, (gint) i, g_strdup_printf ("%s@%s", item->blob.name, version));
    }
  return TRUE;
}

/* ---- estimating */

/* Adds to *@size that of the packages of @lock that the cache lacks. */
static gboolean
add_size (LmCache *cache, const LmRecipeLock *lock, guint64 *size, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < lock->packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (lock->packages, i);
      LmCacheState state;
      if (!lm_cache_check (cache, &package->blob, &state, cancellable, error))
        return FALSE;
      if (state != LM_CACHE_PRESENT)
        *size = lm_size_add (*size, package->blob.size);
    }
  return TRUE;
}

/* Returns what the guest has after the packages of @lock were installed where @contents are. */
static char **
apply_lock (char *const *contents, const LmRecipeLock *lock)
{
  g_autoptr (GPtrArray) builds = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_build_free);
  g_autoptr (GStrvBuilder) added = g_strv_builder_new ();
  const LmBlob unknown = { .kind = LM_BLOB_LAYER };
  for (guint i = 0; i < lock->packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (lock->packages, i);
      g_autofree char *text = g_strdup_printf ("%s=%s", package->name, package->version);
      g_strv_builder_add (added, text);
    }
  LmBuild *parent = lm_build_new (&unknown), *child = lm_build_new (&unknown);
  parent->packages = contents != NULL ? g_strdupv ((char **) contents) : g_new0 (char *, 1);
  parent->removed = g_new0 (char *, 1);
  child->packages = g_strv_builder_end (added);
  child->removed = g_strdupv (lock->removed);
  g_ptr_array_add (builds, parent);
  g_ptr_array_add (builds, child);
  return lm_contents_of_chain (builds);
}

/* Estimates @item, which is built where *@contents are, NULL for nothing, and makes these what is there then. */
static gboolean
estimate_item (const LmHost *host, LmCache *cache, LmPlanItem *item, LmBuilderIndexes *indexes, char ***contents, GCancellable *cancellable,
               GError **error)
{
  g_autoptr (LmRecipe) recipe = lm_recipe_load (item->recipe, cancellable, error);
  g_autoptr (GPtrArray) payload = recipe != NULL ? lm_payload_read (recipe, cancellable, error) : NULL;
  LmPlanEstimate estimate = { .known = TRUE };
  gboolean locked;
  if (payload == NULL)
    return FALSE;
  const LmBuilderChoice choice
    = { .recipe = recipe, .recipe_digest = lm_payload_digest (recipe, payload), .contents = *contents, .indexes = indexes };
  g_autoptr (LmRecipeLock) lock = lm_builder_packages_choose (host, &choice, &locked, cancellable, error);
  g_autofree char *version = lock != NULL ? lm_builder_packages_version (&choice, lock, error) : NULL;
  if (version == NULL || !add_size (cache, lock, &estimate.bytes_to_fetch, cancellable, error))
    return FALSE;
  char **after = apply_lock (*contents, lock);
  g_strfreev (*contents);
  *contents = after;
  estimate.packages = lock->packages->len;
  item->estimate = estimate;
  if (item->version == NULL)
    item->version = g_steal_pointer (&version);
  return TRUE;
}

gboolean
lm_chain_builder_estimate (const LmHost *host, LmPlan *plan, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) unused = g_ptr_array_new_with_free_func (g_free); /* has been reported */
  const guint ready = plan->layers->len - plan->n_to_build;
  g_auto (GStrv) contents = NULL;
  g_auto (LmBuilderIndexes) indexes = { NULL };
  if (plan->n_to_build == 0)
    return TRUE;
  g_autoptr (LmCatalogSet) set = lm_source_load_all (host->state_dir, host->catalogs, unused, cancellable, error);
  g_autoptr (LmCache) cache = set != NULL ? lm_cache_open_readonly (host->state_dir, &host->cache, error) : NULL;
  if (cache == NULL)
    return FALSE;
  if (ready > 0)
    contents = lm_contents_of_build (set, &((LmPlanItem *) g_ptr_array_index (plan->layers, ready - 1))->blob.digest);
  if (ready > 0 && contents == NULL)
    return TRUE; /* the build will look into the disk */
  for (guint i = ready; i < plan->layers->len; i++)
    {
      g_autoptr (GError) failure = NULL;
      LmPlanItem *item = g_ptr_array_index (plan->layers, i);
      if (estimate_item (host, cache, item, &indexes, &contents, cancellable, &failure))
        continue;
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      g_autofree char *text = g_strdup_printf ("the build of %s cannot be estimated: %s", item->blob.name, failure->message);
      host->warning (host->user_data, text);
      return TRUE;
    }
  return TRUE;
}
