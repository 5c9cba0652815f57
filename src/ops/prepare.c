/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/prepare.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/size.h"
#include "build/recipe-dir.h"
#include "machine/chain.h"
#include "ops/cache-view.h"
#include "ops/damage.h"
#include "ops/only-copy.h"
#include "ops/room.h"
#include "source/source.h"

#include <sys/stat.h>

static LmPlan *
plan_over (const LmHost *host, const LmCatalogSet *set, const char *const *selections, const LmPlanOptions *options,
           GCancellable *cancellable, GError **error)
{
  g_autoptr (LmCache) cache = lm_cache_open_readonly (host->state_dir, &host->cache, error);
  if (cache == NULL)
    return NULL;
  LmPlanView view = { lm_cache_view_lookup, &(LmCacheView){ cache, cancellable } };
  LmPlan *plan = lm_plan_new (set, selections, options, &view, error);
  if (plan == NULL)
    return NULL;
  for (char **note = plan->notes; note && *note; note++)
    host->warning (host->user_data, *note);
  return plan;
}

static void
warn_all (const LmHost *host, const GPtrArray *warnings)
{
  for (guint i = 0; i < warnings->len; i++)
    host->warning (host->user_data, g_ptr_array_index (warnings, i));
}

LmCatalogSet *
lm_prepare_catalogs (const LmHost *host, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  LmCatalogSet *set = lm_source_load_all (host->state_dir, host->catalogs, warnings, cancellable, error);
  warn_all (host, warnings);
  return set;
}

LmPlan *
lm_prepare_plan_over (const LmHost *host, const LmCatalogSet *set, const char *const *selections, GCancellable *cancellable,
                      GError **error)
{
  return plan_over (host, set, selections, NULL, cancellable, error);
}

static gboolean
find_recipe (gpointer recipes, const char *name, LmPlanRecipe *out_recipe)
{
  const LmRecipe *recipe = lm_recipe_dir_find (recipes, name);
  if (recipe == NULL)
    return FALSE;
  *out_recipe = (LmPlanRecipe){ recipe->path, recipe->on == NULL };
  return TRUE;
}

/* Plans over the catalogs @set and the recipes of @host, because the catalogs alone gave @failure, which
 * is the error if there are no recipes. */
static LmPlan *
plan_with_recipes (const LmHost *host, LmCatalogSet *set, const char *const *selections, const GError *failure,
                   GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) recipes = lm_recipe_dir_load (host->recipe_dirs, warnings, cancellable, error);
  g_autoptr (GPtrArray) groups = lm_catalog_set_load_groups (set);
  if (recipes == NULL)
    return NULL;
  warn_all (host, warnings);
  if (recipes->len == 0)
    {
      g_propagate_error (error, g_error_copy (failure));
      return NULL;
    }
  LmCatalog *catalog = lm_recipe_dir_catalog (recipes, groups, error);
  if (catalog == NULL)
    return NULL;
  lm_catalog_set_add (set, catalog, G_MININT); /* what a catalog says about a layer counts more */
  return plan_over (host, set, selections, &(LmPlanOptions){ NULL, find_recipe, recipes }, cancellable, error);
}

/* How to build what @plan lacks; @failure says why there is no chain, unless it is only that a layer is unknown. */
static void
throw_with_advice (const LmPlan *plan, const char *const *selections, const GError *failure, GError **error)
{
  g_autofree char *words = g_strjoinv (" ", (char **) selections);
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = plan->layers->len - plan->n_to_build; i < plan->layers->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (plan->layers, i);
      g_string_append_printf (names, "%s%s%s%s", names->len > 0 ? ", " : "", item->blob.name, item->version != NULL ? "@" : "",
                              item->version != NULL ? item->version : "");
    }
  if (failure->code == LM_RESOLVE_ERROR_UNKNOWN)
    (void) lm_throw (error, failure->domain, failure->code, "nobody has built %s yet; \"lamina pull --build %s\" does, from %s",
                     names->str, words, plan->n_to_build == 1 ? "a recipe" : "recipes");
  else
    (void) lm_throw (error, failure->domain, failure->code, "%s; \"lamina pull --build %s\" builds what is missing from recipes (%s)",
                     failure->message, words, names->str);
}

/* Builds what has no chain, and plans again. */
static LmPlan *
plan_after_build (const LmHost *host, LmCatalogSet *set, const char *const *selections, const GError *failure,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) unused = g_ptr_array_new_with_free_func (g_free); /* has been reported */
  g_autoptr (LmPlan) plan = plan_with_recipes (host, set, selections, failure, cancellable, error);
  if (plan == NULL)
    return NULL;
  if (host->build == NULL)
    {
      throw_with_advice (plan, selections, failure, error);
      return NULL;
    }
  if (!host->build (host, plan, cancellable, error) || !lm_fault_point ("prepare-after-build", error))
    return NULL;
  g_autoptr (LmCatalogSet) now = lm_source_load_all (host->state_dir, host->catalogs, unused, cancellable, error);
  return now != NULL ? plan_over (host, now, selections, NULL, cancellable, error) : NULL;
}

static LmPlan *
make_plan (const LmHost *host, const char *const *selections, gboolean build, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmCatalogSet) set = lm_prepare_catalogs (host, cancellable, error);
  g_autoptr (GError) failure = NULL;
  LmPlan *plan = set != NULL ? plan_over (host, set, selections, NULL, cancellable, &failure) : NULL;
  if (plan != NULL || set == NULL)
    return plan;
  if (failure->domain == LM_RESOLVE_ERROR)
    return (build ? plan_after_build : plan_with_recipes) (host, set, selections, failure, cancellable, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

LmPlan *
lm_prepare_plan (const LmHost *host, const char *const *selections, GCancellable *cancellable, GError **error)
{
  return make_plan (host, selections, TRUE, cancellable, error);
}

LmPlan *
lm_prepare_outlook (const LmHost *host, const char *const *selections, GCancellable *cancellable, GError **error)
{
  return make_plan (host, selections, FALSE, cancellable, error);
}

static void
count_cached (const GPtrArray *items, LmPrepareResult *result)
{
  for (guint i = 0; i < items->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (items, i);
      if (item->action != LM_PLAN_CACHED)
        continue;
      result->cached++;
      result->cached_bytes = lm_size_add (result->cached_bytes, item->blob.size);
    }
}

/* The damaged file @blob stays, because it may be the only copy. The code is that of a file
 * without a URL, for which the caller may find one. */
static gboolean
throw_damaged (const LmHost *host, const LmBlob *blob, const char *path, GError **error)
{
  return lm_throw (error, LM_FETCH_ERROR, LM_FETCH_ERROR_SOURCE,
                   "%s is damaged in the cache, because the contents of %s do not match its digest, and no URL is known for it%s",
                   blob->name, path,
                   lm_only_copy_has (host, &blob->digest) ? "; it was made on this host, so import or build it again" : "");
}

/* Moves damaged files out of the cache before they are pulled again. */
static gboolean
set_damaged_aside (const LmHost *host, LmCache *cache, const GPtrArray *blobs, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < blobs->len; i++)
    {
      const LmBlob *blob = g_ptr_array_index (blobs, i);
      LmCacheState state;
      if (!lm_cache_check (cache, blob, &state, cancellable, error))
        return FALSE;
      if (state != LM_CACHE_DAMAGED)
        continue;
      g_autofree char *path = lm_cache_get_path (cache, blob->kind, &blob->digest);
      struct stat st;
      /* The pulled file could not be renamed to this. */
      if (lstat (path, &st) == 0 && !S_ISREG (st.st_mode))
        return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_CONFLICT, "%s is not a regular file; remove it", path);
      if (blob->urls == NULL || blob->urls[0] == NULL)
        return throw_damaged (host, blob, path, error);
      g_autofree char *aside = NULL;
      if (!lm_damage_set_aside (host, cache, blob, &aside, cancellable, error))
        return FALSE;
      if (aside == NULL) /* it has just changed, so that it is checked again before it is pulled */
        continue;
      g_autofree char *text = g_strdup_printf ("%s is damaged in the cache and is pulled again: the contents of %s did not "
                                               "match its digest; it was moved to %s", blob->name, path, aside);
      host->warning (host->user_data, text);
    }
  return TRUE;
}

/* Pulls @blobs, whose layers, base first, form a chain. The caller holds a lease for them. */
static gboolean
pull_blobs (const LmHost *host, LmCache *cache, const GPtrArray *blobs, LmPrepareResult *result, GCancellable *cancellable,
            GError **error)
{
  LmFetchOptions options = { .transfers = host->transfers };
  LmFetchTotals totals = { 0 };
  g_autoptr (GPtrArray) layers = g_ptr_array_new ();
  for (guint i = 0; i < blobs->len; i++)
    if (((LmBlob *) g_ptr_array_index (blobs, i))->kind == LM_BLOB_LAYER)
      g_ptr_array_add (layers, g_ptr_array_index (blobs, i));
  if (!set_damaged_aside (host, cache, blobs, cancellable, error) || !lm_room_make (host, cache, blobs, cancellable, error))
    return FALSE;
  gboolean fetched = lm_fetch_run (blobs, cache, &options, host->progress, host->user_data, &totals, cancellable, error);
  lm_room_release (cache, blobs);
  result->pulled += totals.files;
  result->pulled_bytes += totals.bytes;
  if (!fetched || (layers->len > 0 && !lm_chain_check (cache, layers, NULL, cancellable, error)))
    return FALSE;
  result->other_process = blobs->len > result->pulled + result->cached ? blobs->len - result->pulled - result->cached : 0;
  return TRUE;
}

gboolean
lm_prepare_pull (const LmHost *host, const LmPlan *plan, LmPrepareResult *out_result, LmLock **out_lease,
                 GCancellable *cancellable, GError **error)
{
  g_autoptr (LmCache) cache = lm_cache_open (host->state_dir, &host->cache, error);
  g_autoptr (GPtrArray) blobs = lm_plan_list_blobs (plan);
  g_autoptr (LmLock) lease = cache != NULL ? lm_cache_lease (cache, blobs, cancellable, error) : NULL;
  LmPrepareResult result = { 0 };
  count_cached (plan->layers, &result);
  count_cached (plan->blobs, &result);
  if (lease == NULL || !pull_blobs (host, cache, blobs, &result, cancellable, error))
    return FALSE;
  *out_result = result;
  if (out_lease != NULL)
    *out_lease = g_steal_pointer (&lease);
  return TRUE;
}

/* Returns @blobs with the URLs in the catalogs added to their own; NULL if there are none. */
static GPtrArray *
find_more_urls (const LmHost *host, const GPtrArray *blobs, GCancellable *cancellable)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_blob_free);
  g_autoptr (LmCatalogSet) set = lm_source_load_all (host->state_dir, host->catalogs, warnings, cancellable, NULL);
  gboolean more = FALSE;
  for (guint i = 0; set != NULL && i < blobs->len; i++)
    {
      LmBlob *blob = lm_blob_dup (g_ptr_array_index (blobs, i));
      guint before = blob->urls != NULL ? g_strv_length (blob->urls) : 0;
      g_ptr_array_add (found, blob);
      lm_catalog_set_add_urls (set, blob);
      more = more || g_strv_length (blob->urls) > before;
    }
  return more ? g_steal_pointer (&found) : NULL;
}

/* Counts those of @blobs that are in the cache. */
static gboolean
count_present (LmCache *cache, const GPtrArray *blobs, guint *out_files, guint64 *out_bytes, GCancellable *cancellable,
               GError **error)
{
  *out_files = 0;
  *out_bytes = 0;
  for (guint i = 0; i < blobs->len; i++)
    {
      const LmBlob *blob = g_ptr_array_index (blobs, i);
      LmCacheState state;
      if (!lm_cache_check (cache, blob, &state, cancellable, error))
        return FALSE;
      if (state != LM_CACHE_PRESENT)
        continue;
      *out_files += 1;
      *out_bytes = lm_size_add (*out_bytes, blob->size);
    }
  return TRUE;
}

/* A file may have moved, or may now require another token, which the catalogs contain. */
static gboolean
pull_recorded (const LmHost *host, LmCache *cache, const GPtrArray *blobs, LmPrepareResult *result, GCancellable *cancellable,
               GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (pull_blobs (host, cache, blobs, result, cancellable, &failure))
    return TRUE;
  gboolean elsewhere = g_error_matches (failure, LM_FETCH_ERROR, LM_FETCH_ERROR_SOURCE)
                       || g_error_matches (failure, LM_FETCH_ERROR, LM_FETCH_ERROR_DIGEST);
  g_autoptr (GPtrArray) found = elsewhere ? find_more_urls (host, blobs, cancellable) : NULL;
  if (found != NULL)
    {
      /* The totals of the failed transfer do not include the files that it published. */
      guint files;
      guint64 bytes;
      if (!count_present (cache, blobs, &files, &bytes, cancellable, error))
        return FALSE;
      result->pulled = files - MIN (files, result->cached);
      return pull_blobs (host, cache, found, result, cancellable, error);
    }
  if (elsewhere)
    return lm_throw (error, failure->domain, failure->code, "%s; the catalogs have no other URL", failure->message);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
lm_prepare_recorded (const LmHost *host, LmCache *cache, const GPtrArray *blobs, LmPrepareResult *out_result,
                     GCancellable *cancellable, GError **error)
{
  LmPrepareResult result = { 0 };
  if (!count_present (cache, blobs, &result.cached, &result.cached_bytes, cancellable, error))
    return FALSE;
  if (!pull_recorded (host, cache, blobs, &result, cancellable, error))
    return FALSE;
  *out_result = result;
  return TRUE;
}

static const char *
file_noun (guint n)
{
  return n == 1 ? "file" : "files";
}

char *
lm_prepare_result_to_text (const LmPrepareResult *result)
{
  g_autofree char *pulled = lm_size_format (result->pulled_bytes);
  g_autofree char *cached = lm_size_format (result->cached_bytes);
  g_autofree char *others
    = result->other_process ? g_strdup_printf ("; %u %s pulled by another process", result->other_process,
                                               file_noun (result->other_process)) : g_strdup ("");
  if (result->pulled == 0)
    return g_strdup_printf ("nothing to pull: %u %s, %s cached%s", result->cached, file_noun (result->cached), cached,
                            others);
  return g_strdup_printf ("pulled %u %s, %s; %u %s, %s cached before%s", result->pulled, file_noun (result->pulled),
                          pulled, result->cached, file_noun (result->cached), cached, others);
}

static void
add_count (JsonBuilder *builder, const char *key, guint n, guint64 bytes)
{
  json_builder_set_member_name (builder, key);
  json_builder_begin_object (builder);
  lm_json_add_uint (builder, "files", n);
  lm_json_add_uint (builder, "bytes", bytes);
  json_builder_end_object (builder);
}

void
lm_prepare_result_to_json (const LmPrepareResult *result, JsonBuilder *builder)
{
  add_count (builder, "pulled", result->pulled, result->pulled_bytes);
  add_count (builder, "cached", result->cached, result->cached_bytes);
  lm_json_add_uint (builder, "other_process", result->other_process);
}
