/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/builder.h"
#include "author/boot-file.h"
#include "author/builder-disk.h"
#include "author/builder-packages.h"
#include "author/builder-parent.h"
#include "author/layer-file.h"
#include "author/local-entry.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/size.h"
#include "build/recipe-layer.h"
#include "catalog/contents.h"
#include "catalog/selection.h"
#include "fetch/scratch.h"
#include "ops/prepare.h"
#include "ops/room.h"

#include <string.h>

/* A package needs about four times its compressed size; the rest is for lists of packages,
 * directories and tables. */
#define UNPACKED 4
#define SPARE (32 * LM_SIZE_MIB)

G_DEFINE_QUARK (lm-builder-error-quark, lm_builder_error)

typedef struct
{
  const LmHost *host;
  const LmBuilderRequest *request;
  GCancellable *cancellable;
  LmCache *cache;
  LmRecipe *recipe;
  GPtrArray *payload;
  LmCatalogSet *set;
  LmBuilderParent *parent; /* NULL: a base is built */
  LmBuilderChoice choice;
  LmRecipeLock *lock;
  LmDigest identity;
  char *version;
  gboolean locked;
  LmBlob *kernel, *initrd; /* of a base that does not boot by itself */
  GPtrArray *leases; /* LmLock */
} Build;

static void
build_clear (Build *build)
{
  lm_builder_parent_free (build->parent);
  lm_recipe_lock_free (build->lock);
  lm_catalog_set_free (build->set);
  lm_recipe_free (build->recipe);
  g_clear_pointer (&build->payload, g_ptr_array_unref);
  g_clear_pointer (&build->leases, g_ptr_array_unref);
  g_free (build->version);
  lm_blob_free (build->kernel);
  lm_blob_free (build->initrd);
  lm_cache_close (build->cache);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Build, build_clear)

/* ---- what is to be built */

static gboolean
load_catalogs (Build *build, GError **error)
{
  lm_catalog_set_free (build->set);
  build->set = lm_prepare_catalogs (build->host, build->cancellable, error);
  return build->set != NULL;
}

/* Each layer that the recipe stands on has to be in the chain. */
static gboolean
check_chain (const Build *build, GError **error)
{
  for (char **text = build->recipe->on; *text != NULL; text++)
    {
      g_autoptr (LmSelection) wanted = lm_selection_parse (*text, error);
      gboolean found = FALSE;
      if (wanted == NULL)
        return FALSE;
      for (guint i = 0; !found && i < build->parent->plan->layers->len; i++)
        {
          const LmPlanItem *item = g_ptr_array_index (build->parent->plan->layers, i);
          found = strcmp (item->blob.name, wanted->name) == 0 && (wanted->version == NULL || strcmp (item->version, wanted->version) == 0);
        }
      if (!found)
        return lm_throw (error, LM_BUILDER_ERROR, LM_BUILDER_ERROR_REQUEST, "%s stands on %s, which is not in the chain that --on gives",
                         build->recipe->path, *text);
    }
  return TRUE;
}

/* Whether the new layer can be selected together with those below it. */
static gboolean
check_place (const Build *build, GError **error)
{
  const LmRecipe *recipe = build->recipe;
  for (guint i = 0; i < build->parent->plan->layers->len; i++)
    {
      const LmPlanItem *below = g_ptr_array_index (build->parent->plan->layers, i);
      if (lm_local_entry_check_place (build->set, recipe->name, recipe->group, below->blob.name, below->group, error))
        continue;
      g_prefix_error (error, "%s: ", recipe->path);
      return FALSE;
    }
  return TRUE;
}

static gboolean
open_parent (Build *build, GError **error)
{
  const LmBuilderRequest *request = build->request;
  const gboolean given = request->on != NULL && *request->on != NULL;
  const char *const *on = given ? request->on : (const char *const *) build->recipe->on;
  if (build->recipe->on == NULL)
    return !given
           || lm_throw (error, LM_BUILDER_ERROR, LM_BUILDER_ERROR_REQUEST, "%s makes a base, which stands on no other layer; leave out --on",
                        build->recipe->path);
  build->parent = lm_builder_parent_open (build->host, &build->set, on, &request->appliance, build->cancellable, error);
  if (build->parent == NULL)
    g_prefix_error (error, "%s: ", build->recipe->path);
  return build->parent != NULL && check_chain (build, error) && check_place (build, error);
}

/* Whether @found stands where the layer will. */
static gboolean
has_same_parent (const Build *build, const LmBuild *found)
{
  return found->blob.has_parent == (build->parent != NULL)
         && (!found->blob.has_parent || lm_digest_equal (&found->blob.parent, &build->parent->top->digest));
}

/* Whether a catalog lists a layer with the version @version that stands where this one will: *out_same is
 * whether it is the one that is to be built. */
static gboolean
is_taken (const Build *build, const GArray *refs, const char *version, gboolean *out_same)
{
  gboolean taken = FALSE;
  *out_same = FALSE;
  for (guint i = 0; !*out_same && i < refs->len; i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_set_load_layer (build->set, g_array_index (refs, LmLayerRef, i));
      for (guint j = 0; strcmp (layer->version, version) == 0 && j < layer->builds->len; j++)
        {
          const LmBuild *found = lm_layer_get_build (layer, j);
          if (!has_same_parent (build, found))
            continue;
          taken = TRUE;
          *out_same |= found->has_lock && lm_digest_equal (&found->lock, &build->identity);
        }
    }
  return taken;
}

/* Returns a version that distinguishes the layer from others made of the same version of its first package. A
 * recipe that says its version is taken at its word. */
static char *
choose_version (const Build *build, GError **error)
{
  g_autofree char *version = lm_builder_packages_version (&build->choice, build->lock, error);
  g_autofree char *spare = NULL;
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  if (version == NULL || build->recipe->version != NULL)
    return g_steal_pointer (&version);
  lm_catalog_set_find_name (build->set, build->recipe->name, refs);
  for (guint n = 1; n <= refs->len + 1; n++)
    {
      gboolean same;
      g_autofree char *tried = n == 1 ? g_strdup (version) : g_strdup_printf ("%s+b%u", version, n);
      const gboolean taken = is_taken (build, refs, tried, &same);
      if (same)
        return g_steal_pointer (&tried);
      if (!taken && spare == NULL)
        spare = g_steal_pointer (&tried);
    }
  return g_steal_pointer (&spare);
}

/* Whether the lock file is to be written: not if the packages were found in it. */
static gboolean
keeps_lock (const Build *build)
{
  return !build->request->leave_lock && !build->locked;
}

static gboolean
choose_packages (Build *build, GError **error)
{
  build->choice = (LmBuilderChoice){
    .recipe = build->recipe,
    .recipe_digest = lm_payload_digest (build->recipe, build->payload),
    .contents = build->parent != NULL ? build->parent->contents : NULL,
    .places = build->request->packages,
    .anew = build->request->anew,
  };
  build->lock = lm_builder_packages_choose (build->host, &build->choice, &build->locked, build->cancellable, error);
  if (build->lock == NULL || (keeps_lock (build) && !lm_builder_packages_check_keep (&build->choice, error)))
    return FALSE;
  build->identity = lm_recipe_lock_get_identity (build->lock, build->parent != NULL ? &build->parent->top->digest : NULL);
  build->version = choose_version (build, error);
  if (build->version == NULL)
    return FALSE;
  return build->request->version == NULL || strcmp (build->version, build->request->version) == 0
         || lm_throw (error, LM_BUILDER_ERROR, LM_BUILDER_ERROR_REQUEST, "%s makes %s %s, not %s", build->recipe->path, build->recipe->name,
                      build->version, build->request->version);
}

/* ---- what is there */

static gboolean
is_same_layer (const Build *build, const LmLayer *layer)
{
  return strcmp (layer->name, build->recipe->name) == 0 && strcmp (layer->version, build->version) == 0;
}

static LmLayerResult *
make_result (const Build *build, LmLayerAction action, const LmBuild *made)
{
  const LmRecipe *recipe = build->recipe;
  LmLayerResult *result = lm_layer_result_new (action, recipe->name, build->version, recipe->group, made);
  for (guint i = 0; build->parent != NULL && i < build->parent->plan->layers->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (build->parent->plan->layers, i);
      lm_layer_result_add_below (result, item->blob.name, item->version);
    }
  result->locked = build->locked;
  result->lock_path = lm_recipe_lock_path (recipe->path);
  return result;
}

static gboolean
lease_blob (Build *build, const LmBlob *blob, gboolean *out_cached, GError **error)
{
  return lm_layer_file_lease (build->cache, blob, build->leases, out_cached, build->cancellable, error);
}

/* The build @found has the identity: it is in the cache, or can be pulled; *out_result stays NULL if neither. */
static gboolean
use_build (Build *build, const LmBuild *found, LmLayerResult **out_result, GError **error)
{
  gboolean cached;
  if (!lease_blob (build, &found->blob, &cached, error))
    return FALSE;
  if (!cached && (found->blob.urls == NULL || *found->blob.urls == NULL))
    return TRUE;
  if (!cached)
    {
      g_autoptr (GPtrArray) one = g_ptr_array_new ();
      LmPrepareResult pulled = { 0 };
      g_ptr_array_add (one, (gpointer) &found->blob);
      if (!lm_prepare_recorded (build->host, build->cache, one, &pulled, build->cancellable, error))
        return FALSE;
    }
  *out_result = make_result (build, cached ? LM_LAYER_UNCHANGED : LM_LAYER_PULLED, found);
  return TRUE;
}

/* Has the local catalog say what the recipe says now about @layer, of which the content is as before. */
static gboolean
refresh_entry (Build *build, const LmLayer *layer, const LmBuild *found, LmLayerResult *result, GError **error)
{
  LmLocalChange change;
  gboolean cached;
  if (strcmp (layer->source, LM_LOCAL_NAME) != 0)
    return TRUE;
  g_autoptr (LmLayer) entry = lm_recipe_layer_new (build->recipe, build->version, found, layer->kernel, layer->initrd);
  if ((layer->kernel != NULL && !lease_blob (build, layer->kernel, &cached, error))
      || (layer->initrd != NULL && !lease_blob (build, layer->initrd, &cached, error))
      || !lm_local_entry_add (build->host, build->set, entry, &change, build->cancellable, error))
    return FALSE;
  if (change == LM_LOCAL_CHANGED)
    result->action = LM_LAYER_UPDATED;
  return TRUE;
}

static gboolean
is_wanted (const Build *build, const LmLayer *layer, const LmBuild *found)
{
  return is_same_layer (build, layer) && has_same_parent (build, found) && found->has_lock && lm_digest_equal (&found->lock, &build->identity);
}

/* Sets *out_result if a catalog lists a layer with the identity that is to be built. */
static gboolean
find_built (Build *build, LmLayerResult **out_result, GError **error)
{
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  *out_result = NULL;
  lm_catalog_set_find_name (build->set, build->recipe->name, refs);
  for (guint i = 0; *out_result == NULL && i < refs->len; i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_set_load_layer (build->set, g_array_index (refs, LmLayerRef, i));
      for (guint j = 0; *out_result == NULL && j < layer->builds->len; j++)
        {
          const LmBuild *found = lm_layer_get_build (layer, j);
          if (is_wanted (build, layer, found)
              && (!use_build (build, found, out_result, error)
                  || (*out_result != NULL && !refresh_entry (build, layer, found, *out_result, error))))
            {
              g_clear_pointer (out_result, lm_layer_result_free);
              return FALSE;
            }
        }
    }
  return TRUE;
}

/* lm_local_entry_add() would refuse another content under the same version; this says so before minutes are spent. */
static gboolean
check_version (const Build *build, GError **error)
{
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  lm_catalog_set_find_name (build->set, build->recipe->name, refs);
  for (guint i = 0; i < refs->len; i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_set_load_layer (build->set, g_array_index (refs, LmLayerRef, i));
      if (strcmp (layer->source, LM_LOCAL_NAME) != 0 || !is_same_layer (build, layer) || g_strcmp0 (layer->arch, build->recipe->arch) != 0)
        continue;
      for (guint j = 0; j < layer->builds->len; j++)
        {
          const LmBuild *found = lm_layer_get_build (layer, j);
          LmCacheState state;
          if (!has_same_parent (build, found))
            continue;
          if (!lm_cache_check (build->cache, &found->blob, &state, build->cancellable, error))
            return FALSE;
          if (state == LM_CACHE_PRESENT)
            return lm_throw (error, LM_BUILDER_ERROR, LM_BUILDER_ERROR_DIFFERENT,
                             "%s: %s@%s is there already, but different: it stands on the same parent, but has other packages, files "
                             "or commands; raise the version", build->recipe->path, layer->name, layer->version);
        }
    }
  return TRUE;
}

/* ---- building */

/* Describes the finished file of @partial. */
static LmBuild *
describe_file (const Build *build, LmPartial *partial, char *const *contents, GError **error)
{
  const LmDigest *parent = build->parent != NULL ? &build->parent->top->digest : NULL;
  LmBuild *made = lm_layer_file_describe (partial, build->recipe->name, parent, build->cancellable, error);
  if (made == NULL)
    return NULL;
  if (build->parent != NULL)
    lm_contents_compare (build->parent->contents, contents, &made->packages, &made->removed);
  else
    made->packages = g_strdupv ((char **) contents);
  made->lock = build->identity;
  made->has_lock = TRUE;
  return made;
}

/* Reserves room for the layer in the scratch file @name. */
static gboolean
make_room (Build *build, const LmDigest *name, GPtrArray *reserved, GError **error)
{
  guint64 size = SPARE, files = 0;
  gboolean cached;
  for (guint i = 0; i < build->lock->packages->len; i++)
    size = lm_size_add (size, UNPACKED * ((LmLockedPackage *) g_ptr_array_index (build->lock->packages, i))->blob.size);
  for (guint i = 0; i < build->payload->len; i++)
    files = lm_size_add (files, ((LmPayloadItem *) g_ptr_array_index (build->payload, i))->size);
  size = lm_size_add (size, files);
  LmBlob blob = { .kind = LM_BLOB_FILE, .name = build->recipe->name, .digest = *name, .size = size };
  g_ptr_array_add (reserved, lm_blob_dup (&blob));
  return lease_blob (build, &blob, &cached, error) && lm_room_make (build->host, build->cache, reserved, build->cancellable, error)
         && lm_cache_check_space (build->cache, lm_size_add ((build->parent != NULL ? 2 : 3) * size, files), error);
}

/* Takes the file @path, which may be NULL, into the cache. */
static gboolean
take_boot_file (Build *build, const char *path, const char *name, LmBlob **out_blob, GError **error)
{
  LmLock *lease = NULL;
  if (path == NULL)
    return TRUE;
  lm_blob_free (*out_blob);
  *out_blob = lm_boot_file_take (build->host, build->cache, path, name, &lease, build->cancellable, error);
  if (*out_blob != NULL)
    g_ptr_array_add (build->leases, lease);
  return *out_blob != NULL;
}

/* Makes the layer in the file of @partial, and returns its description. */
static LmBuild *
make_file (Build *build, LmPartial *partial, GError **error)
{
  g_autoptr (LmWorkDir) work = lm_work_dir_new (build->cache, error);
  g_auto (LmBuilderMade) made = { NULL };
  LmLock *lease = NULL;
  g_autofree char *files = work != NULL ? g_build_filename (lm_work_dir_get_path (work), "payload", NULL) : NULL;
  if (work == NULL || !lm_payload_copy (build->payload, files, build->cancellable, error)
      || !lm_builder_packages_fetch (build->host, build->cache, build->lock, &lease, build->cancellable, error))
    return NULL;
  g_ptr_array_add (build->leases, lease);
  const LmBuilderDisk disk = {
    .host = build->host,
    .cache = build->cache,
    .work = work,
    .program = build->request->appliance.program,
    .virt_type = build->request->appliance.virt_type,
    .recipe = build->recipe,
    .payload = build->payload,
    .lock = build->lock,
    .parent = build->parent != NULL ? build->parent->top : NULL,
    .contents = build->parent != NULL ? build->parent->contents : NULL,
  };
  if (!lm_builder_disk_make (&disk, lm_partial_get_path (partial), &made, build->cancellable, error)
      || !take_boot_file (build, made.kernel, "kernel", &build->kernel, error)
      || !take_boot_file (build, made.initrd, "initrd", &build->initrd, error))
    return NULL;
  return describe_file (build, partial, made.contents, error);
}

/* Makes the layer, publishes it and lists it. @partial is its scratch file, of which it takes ownership. */
static LmLayerResult *
make_layer (Build *build, LmPartial *partial, gboolean *out_waited, GError **error)
{
  LmLocalChange change;
  gboolean cached;
  g_autoptr (LmBuild) made = make_file (build, partial, error);
  if (made == NULL || !lease_blob (build, &made->blob, &cached, error))
    {
      lm_partial_discard (partial);
      return NULL;
    }
  g_autoptr (LmLayer) layer = lm_recipe_layer_new (build->recipe, build->version, made, build->kernel, build->initrd);
  if (!lm_scratch_publish (build->cache, partial, &made->blob, out_waited, build->cancellable, error) || *out_waited
      || !lm_fault_point ("build-after-publish", error)
      || !lm_local_entry_add (build->host, build->set, layer, &change, build->cancellable, error))
    return NULL;
  return make_result (build, LM_LAYER_MADE, made);
}

static void
on_wait (gpointer user_data)
{
  const Build *build = user_data;
  g_autofree char *text = g_strdup_printf ("waiting for another lamina process that builds %s", build->recipe->name);
  build->host->status (build->host->user_data, text);
}

/* Makes the layer unless a catalog has it. The caller alone builds what has this identity. Returns NULL
 * without an error if another process was found to pull the same file, and has ended. */
static LmLayerResult *
build_alone (Build *build, const char *identity, gboolean *out_waited, GError **error)
{
  g_autofree char *what = g_strdup_printf ("layer\n%s", identity);
  g_autoptr (GPtrArray) reserved = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_blob_free);
  const LmDigest name = lm_scratch_name (what);
  LmLayerResult *result = NULL;
  if (!load_catalogs (build, error) || !find_built (build, &result, error) || result != NULL || !check_version (build, error))
    return result;
  LmPartial *partial = make_room (build, &name, reserved, error)
                         ? lm_scratch_open (build->cache, what, on_wait, build, out_waited, build->cancellable, error) : NULL;
  if (partial != NULL)
    result = make_layer (build, partial, out_waited, error);
  lm_room_release (build->cache, reserved);
  return result;
}

/* Builds after other processes that build the same, of which the first lists it for all. */
static LmLayerResult *
build_once (Build *build, gboolean *out_waited, GError **error)
{
  char identity[LM_DIGEST_STRING_SIZE];
  g_autofree char *what = g_strdup_printf ("build\n%s", lm_digest_format (&build->identity, identity));
  LmPartial *turn = lm_scratch_open (build->cache, what, on_wait, build, out_waited, build->cancellable, error);
  *out_waited = FALSE;
  if (turn == NULL)
    return NULL;
  LmLayerResult *result = build_alone (build, identity, out_waited, error);
  lm_partial_discard (turn);
  return result;
}

LmLayerResult *
lm_builder_run (const LmHost *host, const LmBuilderRequest *request, GCancellable *cancellable, GError **error)
{
  g_auto (Build) build = { .host = host, .request = request, .cancellable = cancellable };
  gboolean waited = TRUE;
  LmLayerResult *result = NULL;
  build.leases = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_lock_release);
  build.recipe = lm_recipe_load (request->recipe, cancellable, error);
  build.payload = build.recipe != NULL ? lm_payload_read (build.recipe, cancellable, error) : NULL;
  build.cache = build.payload != NULL ? lm_cache_open (host->state_dir, &host->cache, error) : NULL;
  if (build.cache == NULL || !load_catalogs (&build, error) || !lm_local_entry_check (build.set, build.recipe->name, error)
      || !open_parent (&build, error) || !choose_packages (&build, error))
    return NULL;
  while (waited && result == NULL)
    {
      g_autoptr (GError) failure = NULL;
      result = build_once (&build, &waited, &failure);
      if (failure == NULL)
        continue;
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (result != NULL && keeps_lock (&build) && !lm_builder_packages_keep (&build.choice, build.lock, cancellable, error))
    g_clear_pointer (&result, lm_layer_result_free);
  return result;
}
