/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/capture.h"
#include "author/chain-packages.h"
#include "author/guest.h"
#include "author/layer-file.h"
#include "author/local-entry.h"
#include "author/machine-disk.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/size.h"
#include "build/scrub.h"
#include "cache/work-dir.h"
#include "catalog/contents.h"
#include "catalog/selection.h"
#include "fetch/scratch.h"
#include "image/delta.h"
#include "ops/export-chain.h"
#include "ops/prepare.h"
#include "ops/room.h"

#include <string.h>

/* For what the layer has besides the content of the machine's images: tables, and what the scrubbing writes. */
#define SPARE (32 * LM_SIZE_MIB)
#define ROOT_KEYS "/root/.ssh/authorized_keys"

G_DEFINE_QUARK (lm-capture-error-quark, lm_capture_error)

typedef struct
{
  const LmHost *host;
  const LmCaptureRequest *request;
  GCancellable *cancellable;
  char *name, *version;
  char *group; /* of other layers of that name, unless the request says another */
  LmCache *cache;
  LmCatalogSet *set;
  LmMachineDisk *disk;
  GPtrArray *chain;  /* LmLayer: what the catalogs say about the layers below, base first */
  LmDigest identity; /* of what is captured, and how */
  char **below;      /* packages of the layers below; NULL until they are needed */
  GPtrArray *leases; /* LmLock */
} Capture;

static void
capture_clear (Capture *capture)
{
  g_free (capture->name);
  g_free (capture->group);
  g_free (capture->version);
  g_strfreev (capture->below);
  g_clear_pointer (&capture->chain, g_ptr_array_unref);
  g_clear_pointer (&capture->leases, g_ptr_array_unref);
  lm_machine_disk_free (capture->disk);
  lm_catalog_set_free (capture->set);
  lm_cache_close (capture->cache);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Capture, capture_clear)

/* ---- what is captured, and as what */

/* Finds what the catalogs say about the layers below. Without their entries nobody could select the new layer. */
static gboolean
find_chain (Capture *capture, GError **error)
{
  const LmMachine *machine = lm_machine_disk_get_machine (capture->disk);
  capture->chain = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  for (guint i = 0; i < machine->layers->len; i++)
    {
      const LmDomainLayer *recorded = g_ptr_array_index (machine->layers, i);
      LmLayer *entry = lm_export_chain_find_entry (capture->set, &recorded->blob.digest, recorded->blob.name, recorded->version);
      if (entry == NULL)
        return lm_throw (error, LM_CAPTURE_ERROR, LM_CAPTURE_ERROR_UNLISTED,
                         "no catalog lists %s %s any more, of which %s is made, so that nothing could be launched from the layer; "
                         "add a catalog that does", recorded->blob.name, recorded->version, capture->request->machine);
      g_ptr_array_add (capture->chain, entry);
    }
  return TRUE;
}

/* Whoever selects the name with its group means all versions. */
static void
find_group (Capture *capture)
{
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  lm_catalog_set_find_name (capture->set, capture->name, refs);
  g_autoptr (LmLayer) other = refs->len > 0 ? lm_catalog_set_load_layer (capture->set, g_array_index (refs, LmLayerRef, 0)) : NULL;
  capture->group = g_strdup (capture->request->group != NULL ? capture->request->group : other != NULL ? other->group : capture->name);
}

static const char *
get_group (const Capture *capture, const LmLayer *before)
{
  return capture->request->group != NULL || before == NULL ? capture->group : before->group;
}

/* Whether the new layer can be used together with those below it. */
static gboolean
check_place (const Capture *capture, const char *group, GError **error)
{
  if (!lm_name_is_valid (group))
    return lm_throw (error, LM_CAPTURE_ERROR, LM_CAPTURE_ERROR_REQUEST, "\"%s\" is not the name of a group", group);
  for (guint i = 0; i < capture->chain->len; i++)
    {
      const LmLayer *below = g_ptr_array_index (capture->chain, i);
      if (!lm_local_entry_check_place (capture->set, capture->name, group, below->name, below->group, error))
        return FALSE;
    }
  return TRUE;
}

/* The same images on the same parent, treated in the same way, give a layer with the same content. Its file is another
 * one each time, because a file system notes when it was used. */
static gboolean
identify (Capture *capture, GError **error)
{
  char top[LM_DIGEST_STRING_SIZE], images[LM_DIGEST_STRING_SIZE];
  LmDigest digest;
  if (!lm_machine_disk_hash (capture->disk, &digest, capture->cancellable, error))
    return FALSE;
  g_autofree char *text
    = g_strdup_printf ("capture\n%s\n%s\n%s\n", lm_digest_format (&lm_machine_disk_get_top (capture->disk)->digest, top),
                       lm_digest_format (&digest, images), capture->request->scrub ? "scrubbed" : "as it is");
  capture->identity = lm_digest_of_text (text);
  return TRUE;
}

/* ---- the entry */

static char *
choose_text (const char *given, const char *before)
{
  const char *text = given != NULL ? given : before;
  return text != NULL && *text != '\0' ? g_strdup (text) : NULL;
}

static char **
choose_provides (const char *const *given, char **before)
{
  g_autoptr (GStrvBuilder) list = g_strv_builder_new ();
  const char *const *from = given != NULL && *given != NULL ? given : (const char *const *) before;
  for (; from != NULL && *from != NULL; from++)
    if (**from != '\0')
      g_strv_builder_add (list, *from);
  return g_strv_builder_end (list);
}

/* What the local catalog is to say; @before is what it says now, or NULL. */
static LmLayer *
make_entry (const Capture *capture, const LmLayer *before, const LmBuild *build)
{
  const LmCaptureRequest *request = capture->request;
  g_autoptr (GStrvBuilder) requires = g_strv_builder_new ();
  LmLayer *layer = g_new0 (LmLayer, 1);
  layer->name = g_strdup (capture->name);
  layer->version = g_strdup (capture->version);
  layer->group = g_strdup (get_group (capture, before));
  layer->arch = g_strdup (((LmLayer *) g_ptr_array_index (capture->chain, 0))->arch);
  layer->summary = choose_text (request->summary, before != NULL ? before->summary : NULL);
  layer->ready = choose_text (request->ready, before != NULL ? before->ready : NULL);
  layer->provides = choose_provides (request->provides, before != NULL ? before->provides : NULL);
  for (guint i = 0; i < capture->chain->len; i++)
    g_strv_builder_add (requires, ((LmLayer *) g_ptr_array_index (capture->chain, i))->name);
  layer->requires = g_strv_builder_end (requires);
  layer->builds = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_build_free);
  g_ptr_array_add (layer->builds, lm_build_dup (build));
  return layer;
}

static LmLayerResult *
make_result (const Capture *capture, LmLayerAction action, const char *group, const LmBuild *build)
{
  LmLayerResult *result = lm_layer_result_new (action, capture->name, capture->version, group, build);
  for (guint i = 0; i < capture->chain->len; i++)
    {
      const LmLayer *below = g_ptr_array_index (capture->chain, i);
      lm_layer_result_add_below (result, below->name, below->version);
    }
  return result;
}

/* ---- what is there */

static gboolean
lease_blob (Capture *capture, const LmBlob *blob, gboolean *out_cached, GError **error)
{
  return lm_layer_file_lease (capture->cache, blob, capture->leases, out_cached, capture->cancellable, error);
}

/* Gets the build of @layer on the same parent; one that was captured of something else is an error, unless its file is gone. */
static gboolean
find_build (Capture *capture, const LmLayer *layer, const LmBuild **out_build, GError **error)
{
  const LmDigest *top = &lm_machine_disk_get_top (capture->disk)->digest;
  *out_build = NULL;
  for (guint i = 0; i < layer->builds->len; i++)
    {
      const LmBuild *build = lm_layer_get_build (layer, i);
      const gboolean local = strcmp (layer->source, LM_LOCAL_NAME) == 0;
      gboolean cached = FALSE;
      if (!build->blob.has_parent || !lm_digest_equal (&build->blob.parent, top))
        continue;
      if (local && !lease_blob (capture, &build->blob, &cached, error))
        return FALSE;
      if (local && !cached)
        continue;
      if (!build->has_lock || !lm_digest_equal (&build->lock, &capture->identity))
        return lm_throw (error, LM_CAPTURE_ERROR, LM_CAPTURE_ERROR_DIFFERENT,
                         "%s@%s is there already, but different: the catalog %s lists a layer on the same parent with other content; "
                         "choose another version", capture->name, capture->version, layer->source);
      *out_build = build;
    }
  return TRUE;
}

/* Sets *out_layer to what a catalog says about the name and version, the local one first, and *out_build to what was captured
 * of the same disk before; both are NULL if there is nothing. The build belongs to the layer. */
static gboolean
find_listed (Capture *capture, LmLayer **out_layer, const LmBuild **out_build, GError **error)
{
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  g_autoptr (LmLayer) found = NULL;
  *out_build = NULL;
  lm_catalog_set_find_name (capture->set, capture->name, refs);
  for (guint i = 0; i < refs->len; i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_set_load_layer (capture->set, g_array_index (refs, LmLayerRef, i));
      const LmBuild *build = NULL;
      if (strcmp (layer->version, capture->version) != 0)
        continue;
      if (!find_build (capture, layer, &build, error))
        return FALSE;
      if (found != NULL && (strcmp (layer->source, LM_LOCAL_NAME) != 0))
        continue;
      g_clear_pointer (&found, lm_layer_free);
      found = g_steal_pointer (&layer);
      *out_build = build;
    }
  *out_layer = g_steal_pointer (&found);
  return TRUE;
}

/* The layer is there: at most what the local catalog says about it changes. */
static LmLayerResult *
keep_listed (Capture *capture, const LmLayer *layer, const LmBuild *build, GError **error)
{
  LmLocalChange change = LM_LOCAL_UNCHANGED;
  if (strcmp (layer->source, LM_LOCAL_NAME) != 0)
    return make_result (capture, LM_LAYER_UNCHANGED, layer->group, build);
  g_autoptr (LmLayer) entry = make_entry (capture, layer, build);
  if (!lm_local_entry_add (capture->host, capture->set, entry, &change, capture->cancellable, error))
    return NULL;
  return make_result (capture, change == LM_LOCAL_UNCHANGED ? LM_LAYER_UNCHANGED : LM_LAYER_UPDATED, entry->group, build);
}

/* ---- making the layer */

/* What somebody put there may be meant for the layer, or for this machine only. */
static void
warn_about_keys (const Capture *capture, const LmAppliance *job, guint number)
{
  GBytes *keys = lm_appliance_get_result (job, number);
  if (keys != NULL && g_bytes_get_size (keys) > 0)
    capture->host->warning (capture->host->user_data, ROOT_KEYS " is part of the layer: whoever has one of the keys in it can log in "
                                                      "to each machine made of it");
}

/* Changes @workspace, over the disk of the machine, and returns the packages of the guest. Without scrubbing nothing is
 * changed, not even the times of the file system. */
static char **
run_job (const Capture *capture, const LmWorkDir *work, const char *workspace, GError **error)
{
  g_autoptr (LmAppliance) job = lm_appliance_new ();
  g_autoptr (LmGuestPackages) guest = lm_guest_packages_new (lm_work_dir_get_path (work));
  LmApplianceSettings settings = capture->request->appliance;
  settings.disk = workspace;
  settings.scratch = lm_work_dir_get_path (work);
  settings.read_only = !capture->request->scrub;
  lm_guest_packages_add (guest, job);
  const guint keys = lm_appliance_add_read (job, "looking for SSH keys", ROOT_KEYS, 1, NULL);
  if (capture->request->scrub)
    {
      lm_scrub_append (job);
      lm_appliance_add_trim (job, "freeing unused blocks");
    }
  if (!lm_guest_run (capture->host, job, &settings, capture->cancellable, error))
    return NULL;
  warn_about_keys (capture, job, keys);
  return lm_guest_packages_read (guest, capture->request->machine, capture->cancellable, error);
}

/* Makes the layer in the file of @partial, and returns its description. */
static LmBuild *
make_file (const Capture *capture, LmPartial *partial, GError **error)
{
  const LmHost *host = capture->host;
  const LmBlob *top = lm_machine_disk_get_top (capture->disk);
  g_autoptr (LmWorkDir) work = lm_work_dir_new (capture->cache, error);
  if (work == NULL)
    return NULL;
  g_autofree char *workspace = g_build_filename (lm_work_dir_get_path (work), "overlay.qcow2", NULL);
  g_autofree char *parent = lm_cache_get_path (capture->cache, LM_BLOB_LAYER, &top->digest);
  if (!lm_image_make_workspace (lm_machine_disk_get_path (capture->disk), workspace, capture->cancellable, error))
    return NULL;
  g_auto (GStrv) contents = run_job (capture, work, workspace, error);
  if (contents == NULL)
    return NULL;
  host->status (host->user_data, "keeping what differs from the parent");
  if (!lm_image_make_delta (workspace, parent, &top->digest, lm_partial_get_path (partial), capture->cancellable, error)
      || !lm_fault_point ("capture-before-check", error) || !lm_machine_disk_check (capture->disk, error))
    return NULL;
  LmBuild *made = lm_layer_file_describe (partial, capture->name, &top->digest, capture->cancellable, error);
  if (made == NULL)
    return NULL;
  lm_contents_compare (capture->below, contents, &made->packages, &made->removed);
  made->lock = capture->identity;
  made->has_lock = TRUE;
  return made;
}

/* Makes the layer, publishes it and lists it. Takes ownership of @partial. */
static LmLayerResult *
make_layer (Capture *capture, const LmLayer *before, LmPartial *partial, gboolean *out_waited, GError **error)
{
  LmLocalChange change;
  gboolean cached;
  g_autoptr (LmBuild) made = make_file (capture, partial, error);
  if (made == NULL || !lease_blob (capture, &made->blob, &cached, error))
    {
      lm_partial_discard (partial);
      return NULL;
    }
  g_autoptr (LmLayer) entry = make_entry (capture, before, made);
  if (!lm_scratch_publish (capture->cache, partial, &made->blob, out_waited, capture->cancellable, error) || *out_waited
      || !lm_local_entry_add (capture->host, capture->set, entry, &change, capture->cancellable, error))
    return NULL;
  return make_result (capture, LM_LAYER_MADE, entry->group, made);
}

/* To be called before the file is locked that is going to be the layer, because this may wait for the local catalog. */
static gboolean
find_packages_below (Capture *capture, GError **error)
{
  const LmBlob *top = lm_machine_disk_get_top (capture->disk);
  if (capture->below == NULL)
    capture->below = lm_chain_packages_find (capture->host, capture->set, top, &capture->request->appliance, capture->cancellable, error);
  return capture->below != NULL;
}

/* Reserves room, in the file that is going to be the layer. */
static gboolean
make_room (Capture *capture, const LmDigest *name, GPtrArray *reserved, GError **error)
{
  const guint64 size = lm_size_add (lm_machine_disk_get_allocated (capture->disk), SPARE);
  const LmBlob blob = { .kind = LM_BLOB_FILE, .name = capture->name, .digest = *name, .size = size };
  gboolean cached;
  g_ptr_array_add (reserved, lm_blob_dup (&blob));
  return lease_blob (capture, &blob, &cached, error) && lm_room_make (capture->host, capture->cache, reserved, capture->cancellable, error)
         && lm_cache_check_space (capture->cache, 2 * size, error);
}

static void
on_wait (gpointer user_data)
{
  const Capture *capture = user_data;
  capture->host->status (capture->host->user_data, "waiting for another lamina process that makes the same layer");
}

/* Returns NULL without an error if another process was found to write the same file, and has ended. */
static LmLayerResult *
capture_disk (Capture *capture, gboolean *out_waited, GError **error)
{
  char identity[LM_DIGEST_STRING_SIZE];
  g_autofree char *what = g_strdup_printf ("capture\n%s\n%s\n%s", lm_digest_format (&capture->identity, identity), capture->name,
                                           capture->version);
  const LmDigest scratch = lm_scratch_name (what);
  g_autoptr (GPtrArray) reserved = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_blob_free);
  g_autoptr (LmLayer) listed = NULL;
  const LmBuild *build;
  LmLayerResult *result = NULL;
  *out_waited = FALSE;
  if (!find_listed (capture, &listed, &build, error) || !check_place (capture, get_group (capture, listed), error))
    return NULL;
  if (build != NULL)
    return keep_listed (capture, listed, build, error);
  if (!find_packages_below (capture, error))
    return NULL;
  LmPartial *partial = make_room (capture, &scratch, reserved, error)
                         ? lm_scratch_open (capture->cache, what, on_wait, capture, out_waited, capture->cancellable, error) : NULL;
  *out_waited = FALSE;
  if (partial != NULL)
    result = make_layer (capture, listed, partial, out_waited, error);
  lm_room_release (capture->cache, reserved);
  return result;
}

LmLayerResult *
lm_capture_run (const LmHost *host, LmVirt *virt, const LmCaptureRequest *request, GCancellable *cancellable, GError **error)
{
  g_auto (Capture) capture = { .host = host, .request = request, .cancellable = cancellable };
  capture.leases = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_lock_release);
  if (!lm_local_entry_parse_name (request->as, &capture.name, &capture.version, error))
    return NULL;
  capture.cache = lm_cache_open (host->state_dir, &host->cache, error);
  capture.disk = capture.cache != NULL ? lm_machine_disk_open (host, virt, capture.cache, request->machine, cancellable, error) : NULL;
  /* Now, because that waits for another capture of the machine, which may list the same layer. */
  capture.set = capture.disk != NULL ? lm_prepare_catalogs (host, cancellable, error) : NULL;
  if (capture.set == NULL || !lm_local_entry_check (capture.set, capture.name, error) || !find_chain (&capture, error) || !identify (&capture, error))
    return NULL;
  find_group (&capture);
  LmLayerResult *result = NULL;
  for (gboolean waited = TRUE; waited && result == NULL;)
    {
      g_autoptr (GError) failure = NULL;
      result = capture_disk (&capture, &waited, &failure);
      if (failure == NULL)
        continue;
      lm_machine_disk_explain (capture.disk, &failure);
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  return result;
}
