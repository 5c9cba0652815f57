/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/base-image.h"
#include "author/base-entry.h"
#include "author/boot-file.h"
#include "author/image-file.h"
#include "author/local-entry.h"
#include "base/error.h"
#include "base/text.h"
#include "base/url.h"
#include "catalog/file-name.h"
#include "ops/prepare.h"
#include "plan/resolve.h"
#include "store/store.h"

#include <string.h>

G_DEFINE_QUARK (lm-base-image-error-quark, lm_base_image_error)

typedef struct
{
  const LmHost *host;
  const LmBaseImageRequest *request;
  GCancellable *cancellable;
  LmCache *cache;
  LmChecksum checksum;
  gboolean has_checksum;
  char *name, *version, *arch;
  LmCatalogSet *set;
  LmCatalog *local; /* all that this host made, also what is not available; may be NULL */
  GPtrArray *leases; /* LmLock: of what the entry will list */
} Import;

static void
import_clear (Import *import)
{
  lm_cache_close (import->cache);
  g_free (import->name);
  g_free (import->version);
  g_free (import->arch);
  lm_catalog_set_free (import->set);
  lm_catalog_free (import->local);
  g_clear_pointer (&import->leases, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

void
lm_base_image_result_free (LmBaseImageResult *result)
{
  if (result == NULL)
    return;
  g_free (result->name);
  g_free (result->version);
  g_free (result->group);
  g_free (result->source);
  lm_blob_clear (&result->blob);
  g_free (result->origin);
  g_ptr_array_unref (result->changes);
  g_free (result);
}

/* Sets name, version and architecture: what the user says, or else the name of the file. */
static gboolean
set_names (Import *import, GError **error)
{
  const LmBaseImageRequest *request = import->request;
  g_autofree char *file = lm_image_file_name (request->url_or_file);
  g_auto (LmFileName) parsed = lm_file_name_parse (file);
  g_autofree char *safe = lm_text_escape (file, 100);
  import->arch = request->arch != NULL ? g_strdup (request->arch)
                 : parsed.arch != NULL ? g_steal_pointer (&parsed.arch)
                                       : lm_resolve_host_arch ();
  if (request->as == NULL)
    {
      if (parsed.name == NULL)
        return lm_throw (error, LM_BASE_IMAGE_ERROR, LM_BASE_IMAGE_ERROR_REQUEST,
                         "the file name \"%s\" does not clearly say what it is called; write --as NAME@VERSION, for example "
                         "--as debian@12", safe);
      import->name = g_steal_pointer (&parsed.name);
      import->version = g_steal_pointer (&parsed.version);
      return TRUE;
    }
  return lm_local_entry_parse_name (request->as, &import->name, &import->version, error);
}

static gboolean
load_catalogs (Import *import, GError **error)
{
  lm_catalog_set_free (import->set);
  import->set = lm_prepare_catalogs (import->host, import->cancellable, error);
  g_clear_pointer (&import->local, lm_catalog_free);
  return import->set != NULL && lm_local_load (import->host->state_dir, &import->local, error);
}

static LmBlob *
get_base_build (const LmLayer *layer)
{
  for (guint i = 0; i < layer->builds->len; i++)
    if (!lm_layer_get_build (layer, i)->blob.has_parent)
      return &lm_layer_get_build (layer, i)->blob;
  return NULL;
}

/* Returns the base with the name, version and architecture that a catalog lists, the local one
 * first; NULL if there is none. */
static LmLayer *
find_listed (const Import *import)
{
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  g_autoptr (LmLayer) found = NULL;
  lm_catalog_set_find_name (import->set, import->name, refs);
  for (guint i = 0; i < refs->len; i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_set_load_layer (import->set, g_array_index (refs, LmLayerRef, i));
      gboolean own = strcmp (layer->source, LM_LOCAL_NAME) == 0;
      if (strcmp (layer->version, import->version) != 0 || !lm_layer_runs_on (layer, import->arch) || get_base_build (layer) == NULL
          || (found != NULL && !own))
        continue;
      g_clear_pointer (&found, lm_layer_free);
      found = g_steal_pointer (&layer);
    }
  return g_steal_pointer (&found);
}

/* Whether @layer was made of the file with @checksum. */
static gboolean
is_made_of (const LmLayer *layer, const LmChecksum *checksum)
{
  g_autofree char *text = lm_checksum_to_string (checksum);
  g_auto (GStrv) words = g_strsplit (layer->origin != NULL ? layer->origin : "", " ", -1);
  return g_strv_contains ((const char *const *) words, text);
}

/* Returns what the local catalog says about the layer with this name and version, for whatever
 * architecture, whose file has @digest or was made of one with @checksum (the other is NULL); NULL
 * if it says nothing. The file need not be there. */
static LmLayer *
find_own (const Import *import, const LmDigest *digest, const LmChecksum *checksum)
{
  for (guint i = 0; import->local != NULL && i < lm_catalog_get_n_layers (import->local); i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_load_layer (import->local, i);
      const LmBlob *build = get_base_build (layer);
      if (strcmp (layer->name, import->name) == 0 && strcmp (layer->version, import->version) == 0 && build != NULL
          && (digest != NULL ? lm_digest_equal (&build->digest, digest) : is_made_of (layer, checksum)))
        return g_steal_pointer (&layer);
    }
  return NULL;
}

static gboolean
is_cached (const Import *import, const LmBlob *blob, gboolean *out_cached, GError **error)
{
  LmCacheState state;
  if (!lm_cache_check (import->cache, blob, &state, import->cancellable, error))
    return FALSE;
  *out_cached = state == LM_CACHE_PRESENT;
  return TRUE;
}

static gboolean
take_lease (Import *import, LmBlob *blob, GError **error)
{
  g_autoptr (GPtrArray) one = g_ptr_array_new ();
  g_ptr_array_add (one, blob);
  LmLock *lease = lm_cache_lease (import->cache, one, import->cancellable, error);
  if (lease != NULL)
    g_ptr_array_add (import->leases, lease);
  return lease != NULL;
}

/* Sets *blob, which is NULL or that of the entry before, to the file @path in the cache; if @path
 * is NULL the one before has to be there. */
static gboolean
take_boot_file (Import *import, const char *path, const char *name, LmBlob **blob, GError **error)
{
  gboolean cached = TRUE;
  if (path == NULL && *blob != NULL)
    return take_lease (import, *blob, error) && is_cached (import, *blob, &cached, error)
           && (cached
               || lm_throw (error, LM_BASE_IMAGE_ERROR, LM_BASE_IMAGE_ERROR_REQUEST,
                            "the %s that the catalog lists for %s@%s is missing or damaged in the cache; give --%s again, or --%s '' if there "
                            "is none any more", name, import->name, import->version, name, name));
  if (path == NULL || path[0] == '\0')
    return TRUE;
  LmLock *lease = NULL;
  *blob = lm_boot_file_take (import->host, import->cache, path, name, &lease, import->cancellable, error);
  if (*blob == NULL)
    return FALSE;
  g_ptr_array_add (import->leases, lease);
  return TRUE;
}

/* An initrd or a command line needs a kernel: one that is given, or that of the entry before. */
static gboolean
check_kernel (const LmBaseImageRequest *request, gboolean has_kernel, GError **error)
{
  const gboolean given = request->kernel != NULL ? request->kernel[0] != '\0' : has_kernel;
  if (given || ((request->initrd == NULL || request->initrd[0] == '\0') && (request->cmdline == NULL || request->cmdline[0] == '\0')))
    return TRUE;
  return lm_throw (error, LM_BASE_IMAGE_ERROR, LM_BASE_IMAGE_ERROR_REQUEST, "--initrd and --cmdline need --kernel");
}

static gboolean
may_have_kernel (const Import *import)
{
  gboolean found = FALSE;
  for (guint i = 0; !found && import->local != NULL && i < lm_catalog_get_n_layers (import->local); i++)
    {
      guint64 size;
      found = strcmp (lm_catalog_get_layer_name (import->local, i), import->name) == 0
              && strcmp (lm_catalog_get_layer_version (import->local, i), import->version) == 0
              && lm_catalog_get_layer_kernel (import->local, i, &size) != NULL;
    }
  return found;
}

/* Finds what cannot be in a catalog before anything is downloaded. */
static gboolean
check_request (const Import *import, GError **error)
{
  const LmBlob blob = { .kind = LM_BLOB_LAYER, .size = 1 };
  g_autoptr (LmLayer) layer = lm_base_entry_new (import->request, import->name, import->version, import->arch, NULL, &blob, NULL);
  const LmGroup group = { .name = layer->group };
  g_autoptr (GError) failure = NULL;
  if (lm_local_check (layer, &group, &failure))
    return TRUE;
  if (g_error_matches (failure, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID))
    return lm_throw (error, LM_BASE_IMAGE_ERROR, LM_BASE_IMAGE_ERROR_REQUEST, "%s", failure->message);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Returns the entry of @blob, with kernel and initrd in the cache; @before is that which the local
 * catalog has, or NULL. */
static LmLayer *
make_entry (Import *import, const LmLayer *before, const LmBlob *blob, const char *origin, GError **error)
{
  const LmBaseImageRequest *request = import->request;
  g_autoptr (LmLayer) layer = lm_base_entry_new (request, import->name, import->version, import->arch, before, blob, origin);
  if (!check_kernel (request, layer->kernel != NULL, error) || !take_boot_file (import, request->kernel, "kernel", &layer->kernel, error)
      || !take_boot_file (import, request->initrd, "initrd", &layer->initrd, error))
    return NULL;
  return g_steal_pointer (&layer);
}

/* Lists @layer, whose file is leased and in the cache, in the local catalog. */
static gboolean
list_layer (Import *import, const LmLayer *layer, LmLocalChange *out_change, GError **error)
{
  return lm_local_entry_add (import->host, import->set, layer, out_change, import->cancellable, error);
}

static LmBaseImageResult *
make_result (const Import *import, LmBaseImageAction action, const LmLayer *layer, const char *source)
{
  LmBaseImageResult *result = g_new0 (LmBaseImageResult, 1);
  result->action = action;
  result->name = g_strdup (import->name);
  result->version = g_strdup (import->version);
  result->group = g_strdup (layer->group);
  result->source = g_strdup (source);
  lm_blob_copy (&result->blob, get_base_build (layer));
  result->origin = g_strdup (layer->origin);
  result->verified = import->has_checksum;
  result->changes = g_ptr_array_new_with_free_func (g_free);
  return result;
}

/* The file of @listed is in the cache: at most what the local catalog says about it changes. */
static LmBaseImageResult *
keep_listed (Import *import, const LmLayer *listed, GError **error)
{
  LmLocalChange change = LM_LOCAL_UNCHANGED;
  if (strcmp (listed->source, LM_LOCAL_NAME) != 0)
    return make_result (import, LM_BASE_IMAGE_UNCHANGED, listed, listed->source);
  g_autoptr (LmLayer) layer = make_entry (import, listed, get_base_build (listed), listed->origin, error);
  if (layer == NULL || !list_layer (import, layer, &change, error))
    return NULL;
  LmBaseImageResult *result
    = make_result (import, change == LM_LOCAL_UNCHANGED ? LM_BASE_IMAGE_UNCHANGED : LM_BASE_IMAGE_UPDATED, layer, LM_LOCAL_NAME);
  if (change != LM_LOCAL_UNCHANGED)
    lm_base_entry_list_changes (listed, layer, result->changes);
  return result;
}

/* Sets *out_result if the layer is there that a file with @checksum gives, and was made of it. */
static gboolean
find_same (Import *import, const LmChecksum *checksum, LmBaseImageResult **out_result, GError **error)
{
  g_autoptr (LmLayer) own = find_own (import, NULL, checksum);
  g_autoptr (LmLayer) listed = own != NULL ? g_steal_pointer (&own) : find_listed (import);
  gboolean cached;
  *out_result = NULL;
  if (listed == NULL || !is_made_of (listed, checksum))
    return TRUE;
  if (!take_lease (import, get_base_build (listed), error) || !is_cached (import, get_base_build (listed), &cached, error))
    return FALSE;
  if (cached)
    *out_result = keep_listed (import, listed, error);
  return !cached || *out_result != NULL;
}

static gboolean
throw_same (const char *name, const char *version, GError **error)
{
  return lm_throw (error, LM_BASE_IMAGE_ERROR, LM_BASE_IMAGE_ERROR_DIFFERENT,
                   "this image is there already, as %s@%s; a catalog cannot list a file twice", name, version);
}

static gboolean
check_different (const Import *import, const LmLayer *listed, const LmBlob *blob, GError **error)
{
  char there[LM_DIGEST_STRING_SIZE], now[LM_DIGEST_STRING_SIZE];
  for (guint i = 0; i < lm_catalog_set_get_length (import->set); i++)
    {
      const LmCatalog *catalog = lm_catalog_set_get (import->set, i);
      guint build = lm_catalog_find_build (catalog, &blob->digest);
      guint layer = build != LM_CATALOG_NONE ? lm_catalog_get_build (catalog, build).layer : 0;
      if (build == LM_CATALOG_NONE || strcmp (lm_catalog_get_source (catalog), LM_LOCAL_NAME) != 0)
        continue;
      const char *name = lm_catalog_get_layer_name (catalog, layer), *version = lm_catalog_get_layer_version (catalog, layer);
      if (strcmp (name, import->name) != 0 || strcmp (version, import->version) != 0)
        return throw_same (name, version, error);
    }
  if (listed == NULL || lm_digest_equal (&get_base_build (listed)->digest, &blob->digest))
    return TRUE;
  return lm_throw (error, LM_BASE_IMAGE_ERROR, LM_BASE_IMAGE_ERROR_DIFFERENT,
                   "%s@%s is there already, but different: the catalog %s lists %s, and this image gives %s; choose another version",
                   import->name, import->version, listed->source, lm_digest_format (&get_base_build (listed)->digest, there),
                   lm_digest_format (&blob->digest, now));
}

/* Whether @origin has a checksum of the kind of @checksum, and it is another one. */
static gboolean
is_made_of_other (const char *origin, const LmChecksum *checksum)
{
  g_auto (GStrv) words = g_strsplit (origin != NULL ? origin : "", " ", -1);
  for (char **word = words; *word != NULL; word++)
    {
      LmChecksum found;
      if (lm_checksum_parse (*word, &found, NULL) && found.kind == checksum->kind)
        return !lm_checksum_equal (&found, checksum);
    }
  return FALSE;
}

/* Whether @layer, which this host made, leaves the name to what the checksum, if there is one, says is to be imported. */
static gboolean
check_own (const Import *import, const LmLayer *layer, GError **error)
{
  const gboolean same = import->has_checksum && get_base_build (layer) != NULL && is_made_of (layer, &import->checksum);
  if (strcmp (layer->name, import->name) != 0 || strcmp (layer->version, import->version) != 0)
    return !same || throw_same (layer->name, layer->version, error);
  if (get_base_build (layer) == NULL)
    return lm_throw (error, LM_BASE_IMAGE_ERROR, LM_BASE_IMAGE_ERROR_DIFFERENT,
                     "%s@%s is there already, but is no base; choose another name or version", layer->name, layer->version);
  if (same || !import->has_checksum || !lm_layer_runs_on (layer, import->arch) || !is_made_of_other (layer->origin, &import->checksum))
    return TRUE;
  return lm_throw (error, LM_BASE_IMAGE_ERROR, LM_BASE_IMAGE_ERROR_DIFFERENT,
                   "%s@%s is there already, but was made of something else: %s; choose another version", layer->name, layer->version,
                   layer->origin);
}

/* Finds what can be known to be refused before anything is downloaded; the rest is left to check_different(). */
static gboolean
check_name (const Import *import, GError **error)
{
  if (!lm_local_entry_check (import->set, import->name, error))
    return FALSE;
  for (guint i = 0; i < lm_catalog_set_get_length (import->set); i++)
    {
      const LmCatalog *catalog = lm_catalog_set_get (import->set, i);
      for (guint j = 0; strcmp (lm_catalog_get_source (catalog), LM_LOCAL_NAME) == 0 && j < lm_catalog_get_n_layers (catalog); j++)
        {
          g_autoptr (LmLayer) layer = lm_catalog_load_layer (catalog, j);
          if (!check_own (import, layer, error))
            return FALSE;
        }
    }
  return TRUE;
}

/* Publishes @blob, which is leased, and lists it. @own is what the local catalog says about it, or NULL. */
static LmBaseImageResult *
publish_file (Import *import, LmImageFile *file, const LmLayer *own, const LmBlob *blob, gboolean *out_waited, GError **error)
{
  g_autofree char *origin = lm_image_file_get_origin (file);
  g_autoptr (LmLayer) layer = make_entry (import, own, blob, origin, error);
  LmLocalChange change;
  if (layer == NULL || !lm_image_file_publish (file, blob, out_waited, error) || *out_waited
      || !list_layer (import, layer, &change, error))
    return NULL;
  lm_image_file_discard (file);
  LmBaseImageResult *result = make_result (import, LM_BASE_IMAGE_IMPORTED, layer, LM_LOCAL_NAME);
  if (own != NULL)
    lm_base_entry_list_changes (own, layer, result->changes);
  return result;
}

/* Makes the layer of @file and lists it. */
static LmBaseImageResult *
import_file (Import *import, LmImageFile *file, gboolean *out_waited, GError **error)
{
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *origin = lm_image_file_get_origin (file);
  g_auto (GStrv) words = g_strsplit (origin, " ", 2);
  g_autoptr (LmBlob) blob = g_new0 (LmBlob, 1);
  LmBaseImageResult *result;
  LmChecksum published;
  guint64 virtual_size;
  if (!lm_checksum_parse (words[0], &published, error) || !find_same (import, &published, &result, error))
    return NULL;
  if (result != NULL)
    {
      lm_image_file_discard (file);
      return result;
    }
  blob->kind = LM_BLOB_LAYER;
  blob->name = g_strdup (import->name);
  if (!lm_image_file_make_layer (file, changes, blob, &virtual_size, out_waited, error) || *out_waited)
    return NULL;
  g_autoptr (LmLayer) own = find_own (import, &blob->digest, NULL);
  g_autoptr (LmLayer) listed = own == NULL ? find_listed (import) : NULL;
  gboolean cached;
  if (!check_different (import, listed, blob, error) || !take_lease (import, blob, error) || !is_cached (import, blob, &cached, error))
    return NULL;
  if (cached && (own != NULL || listed != NULL))
    {
      lm_image_file_discard (file);
      return keep_listed (import, own != NULL ? own : listed, error);
    }
  result = publish_file (import, file, own, blob, out_waited, error);
  if (result == NULL)
    return NULL;
  result->virtual_size = virtual_size;
  g_ptr_array_extend_and_steal (changes, g_steal_pointer (&result->changes));
  result->changes = g_steal_pointer (&changes);
  return result;
}

/* Returns NULL without an error if another process was found to do the same, and has ended. */
static LmBaseImageResult *
import_once (Import *import, gboolean *out_waited, GError **error)
{
  LmBaseImageResult *result = NULL;
  *out_waited = FALSE;
  if (!load_catalogs (import, error) || !check_kernel (import->request, may_have_kernel (import), error)
      || (import->has_checksum && !find_same (import, &import->checksum, &result, error)))
    return NULL;
  if (result != NULL)
    return result;
  if (!check_name (import, error))
    return NULL;
  g_autoptr (LmImageFile) file
    = lm_image_file_open (import->host, import->cache, import->request->url_or_file, import->has_checksum ? &import->checksum : NULL,
                          out_waited, import->cancellable, error);
  return file != NULL ? import_file (import, file, out_waited, error) : NULL;
}

static void
warn_unverified (const Import *import)
{
  g_autofree char *shown = lm_url_redact (import->request->url_or_file);
  g_autofree char *text
    = g_strdup_printf ("%s is not compared with a checksum, so that nothing shows whether it is what its publisher made; use "
                       "--checksum", shown);
  const LmStoreClass *store = lm_store_class_of (import->request->url_or_file, NULL);
  if (!import->has_checksum && store != NULL && store != &lm_store_file_class)
    import->host->warning (import->host->user_data, text);
}

LmBaseImageResult *
lm_base_image_import (const LmHost *host, const LmBaseImageRequest *request, GCancellable *cancellable, GError **error)
{
  g_auto (Import) import = { .host = host, .request = request, .cancellable = cancellable };
  import.leases = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_lock_release);
  if (!set_names (&import, error) || !check_request (&import, error))
    return NULL;
  if (request->checksum != NULL && !lm_image_file_checksum (request->checksum, request->url_or_file, &import.checksum, cancellable, error))
    return NULL;
  import.has_checksum = request->checksum != NULL;
  import.cache = lm_cache_open (host->state_dir, &host->cache, error);
  if (import.cache == NULL)
    return NULL;
  warn_unverified (&import);
  gboolean waited = TRUE;
  LmBaseImageResult *result = NULL;
  while (waited && result == NULL)
    {
      g_autoptr (GError) failure = NULL;
      result = import_once (&import, &waited, &failure);
      if (failure == NULL)
        continue;
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  return result;
}
