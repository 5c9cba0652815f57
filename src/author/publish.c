/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/publish.h"
#include "author/web-copy.h"
#include "base/error.h"
#include "catalog/portable.h"
#include "catalog/selection.h"
#include "catalog/version.h"
#include "ops/export-chain.h"
#include "ops/prepare.h"
#include "source/source.h"

#include <string.h>
#include <sys/stat.h>

#define CHAIN_MAX 64 /* as for a machine */
/* A base URL by which the relative URLs of a catalog are recognized. */
#define BESIDE "https://publish.invalid/"

G_DEFINE_QUARK (lm-publish-error-quark, lm_publish_error)

typedef struct
{
  const LmHost *host;
  const LmPublishRequest *request;
  GCancellable *cancellable;
  LmCatalogSet *set;
  LmCache *cache;
  GPtrArray *layers; /* LmLayer: what is to be published, with these builds only */
  GPtrArray *blobs;  /* LmBlob: its files, parents first; owned by layers */
  GHashTable *seen;  /* LmDigest of them */
} Publication;

static void
publication_clear (Publication *self)
{
  g_clear_pointer (&self->seen, g_hash_table_unref);
  g_clear_pointer (&self->blobs, g_ptr_array_unref);
  g_clear_pointer (&self->layers, g_ptr_array_unref);
  lm_catalog_set_free (self->set);
  lm_cache_close (self->cache);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Publication, publication_clear)

static void
publish_file_free (LmPublishFile *file)
{
  lm_blob_clear (&file->blob);
  g_free (file);
}

void
lm_publish_result_free (LmPublishResult *result)
{
  if (result == NULL)
    return;
  g_ptr_array_unref (result->files);
  g_ptr_array_unref (result->removed);
  g_free (result);
}

/* ---- what is to be published ---- */

static gboolean
is_cached (const Publication *self, const LmBlob *blob, gboolean *out_cached, GError **error)
{
  LmCacheState state;
  if (!lm_cache_check (self->cache, blob, &state, self->cancellable, error))
    return FALSE;
  *out_cached = state == LM_CACHE_PRESENT;
  g_autofree char *path = lm_cache_get_path (self->cache, blob->kind, &blob->digest);
  return state != LM_CACHE_DAMAGED
         || lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_DAMAGED,
                      "%s is damaged in the cache: the contents of %s do not match its digest; get it again by "
                      "\"lamina cache verify --repair\", or import it again", blob->name, path);
}

/* Adds a file of @layer; a kernel may be that of several layers. The catalog gets its size. */
static gboolean
add_file (Publication *self, const LmLayer *layer, LmBlob *blob, GError **error)
{
  gboolean cached;
  struct stat st;
  if (blob == NULL)
    return TRUE;
  if (!is_cached (self, blob, &cached, error))
    return FALSE;
  if (!cached)
    return lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_MISSING, "%s of %s %s is not in the cache; pull it first",
                     blob->kind == LM_BLOB_LAYER ? "the file" : blob->name, layer->name, layer->version);
  g_autofree char *path = lm_cache_get_path (self->cache, blob->kind, &blob->digest);
  if (stat (path, &st) < 0)
    return lm_throw_errno (error, "cannot stat %s", path);
  blob->size = (guint64) st.st_size;
  g_clear_pointer (&blob->urls, g_strfreev);
  if (g_hash_table_add (self->seen, &blob->digest))
    g_ptr_array_add (self->blobs, blob);
  return TRUE;
}

static LmLayer *
find_same_layer (const GPtrArray *layers, const LmLayer *layer)
{
  for (guint i = 0; i < layers->len; i++)
    {
      LmLayer *other = g_ptr_array_index (layers, i);
      if (strcmp (other->name, layer->name) == 0 && strcmp (other->version, layer->version) == 0
          && g_strcmp0 (other->arch, layer->arch) == 0)
        return other;
    }
  return NULL;
}

/* Removes all builds of @layer but that with @digest. */
static void
keep_build (LmLayer *layer, const LmDigest *digest)
{
  for (guint i = layer->builds->len; i > 0; i--)
    if (!lm_digest_equal (&lm_layer_get_build (layer, i - 1)->blob.digest, digest))
      g_ptr_array_remove_index (layer->builds, i - 1);
}

/* Adds the build with @digest of the layer @name, and first its parents. @depth is the number of
 * layers on top of it. */
static gboolean
add_build (Publication *self, const LmDigest *digest, const char *name, const char *version, guint depth, GError **error)
{
  char text[LM_DIGEST_STRING_SIZE];
  if (g_hash_table_contains (self->seen, digest))
    return TRUE;
  g_autoptr (LmLayer) layer = lm_export_chain_find_entry (self->set, digest, name, version);
  if (layer == NULL)
    return lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_UNKNOWN,
                     "no catalog lists %s, on which a layer was built that is to be published", lm_digest_format (digest, text));
  keep_build (layer, digest);
  LmBlob *build = &lm_layer_get_build (layer, 0)->blob;
  /* Also ends a circle in a wrong catalog. */
  if (depth >= CHAIN_MAX)
    return lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_UNKNOWN, "the chain of %s %s has more than %d layers", layer->name,
                     layer->version, CHAIN_MAX);
  if ((build->has_parent && !add_build (self, &build->parent, NULL, NULL, depth + 1, error)) || !add_file (self, layer, layer->kernel, error)
      || !add_file (self, layer, layer->initrd, error) || !add_file (self, layer, build, error))
    return FALSE;
  LmLayer *same = find_same_layer (self->layers, layer);
  if (same == NULL)
    g_ptr_array_add (self->layers, g_steal_pointer (&layer));
  else
    {
      g_ptr_array_add (same->builds, g_ptr_array_steal_index (layer->builds, 0));
      /* Its kernel may be among the blobs. */
      g_ptr_array_add (self->layers, g_steal_pointer (&layer));
    }
  return TRUE;
}

/* Adds the builds of @layer that are in the cache; there must be one. */
static gboolean
add_layer (Publication *self, const LmLayer *layer, GError **error)
{
  guint found = 0;
  for (guint i = 0; i < layer->builds->len; i++)
    {
      const LmBlob *build = &lm_layer_get_build (layer, i)->blob;
      gboolean cached;
      if (!is_cached (self, build, &cached, error))
        return FALSE;
      found += cached ? 1 : 0;
      if (cached && !add_build (self, &build->digest, layer->name, layer->version, 0, error))
        return FALSE;
    }
  return found > 0
         || lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_MISSING, "no file of %s %s is in the cache; pull it first", layer->name,
                      layer->version);
}

/* Adds what @selection names: this version, or else the newest. */
static gboolean
add_selection (Publication *self, const LmSelection *selection, GError **error)
{
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  const char *version = NULL;
  lm_catalog_set_find_name (self->set, selection->name, refs);
  for (guint i = 0; i < refs->len; i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_set_load_layer (self->set, g_array_index (refs, LmLayerRef, i));
      if (!lm_selection_matches (selection, layer))
        continue;
      if (version == NULL || lm_version_compare_preference (layer->version, version) > 0)
        version = layer->version;
      g_ptr_array_add (found, g_steal_pointer (&layer));
    }
  g_autofree char *text = lm_selection_format (selection);
  if (version == NULL)
    return lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_UNKNOWN, "no catalog has the layer %s", text);
  for (guint i = 0; i < found->len; i++)
    {
      const LmLayer *layer = g_ptr_array_index (found, i);
      if (strcmp (layer->version, version) == 0 && !add_layer (self, layer, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_own_layers (Publication *self, GError **error)
{
  for (guint i = 0; i < lm_catalog_set_get_length (self->set); i++)
    {
      const LmCatalog *catalog = lm_catalog_set_get (self->set, i);
      for (guint j = 0; strcmp (lm_catalog_get_source (catalog), LM_LOCAL_NAME) == 0 && j < lm_catalog_get_n_layers (catalog); j++)
        {
          g_autoptr (LmLayer) layer = lm_catalog_load_layer (catalog, j);
          if (!add_layer (self, layer, error))
            return FALSE;
        }
    }
  return self->layers->len > 0
         || lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_UNKNOWN,
                      "this host has made no layers; name those of other catalogs that are to be published");
}

static gboolean
collect_layers (Publication *self, GError **error)
{
  self->set = lm_prepare_catalogs (self->host, self->cancellable, error);
  if (self->set == NULL)
    return FALSE;
  if (*self->request->names == NULL)
    return add_own_layers (self, error);
  for (const char *const *name = self->request->names; *name != NULL; name++)
    {
      g_autoptr (LmSelection) selection = lm_selection_parse (*name, error);
      if (selection == NULL || !add_selection (self, selection, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- the catalog ---- */

/* Whether the only URL of @blob, which may be NULL, is the name that lamina gives its file. */
static gboolean
is_own_file (const LmBlob *blob)
{
  g_autofree char *name = blob != NULL ? lm_portable_file_name (blob->kind, &blob->digest) : NULL;
  g_autofree char *url = g_strconcat (BESIDE, name, NULL);
  return blob == NULL || (g_strv_length (blob->urls) == 1 && strcmp (blob->urls[0], url) == 0);
}

/* Parses the catalog that is there. Only one that this use case made can be merged: it is JSON,
 * and its files are beside it under the names that lamina gives. */
static LmCatalog *
parse_known (const char *shown, GBytes *text, GError **error)
{
  gsize size;
  const char *data = g_bytes_get_data (text, &size);
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmCatalog) catalog
    = size > 0 && data[0] == '{' ? lm_catalog_parse (shown, NULL, BESIDE, data, size, NULL, &failure) : NULL;
  if (catalog == NULL)
    return lm_throw_null (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_FOREIGN,
                          "%s was not made by \"lamina publish\"%s%s; choose another directory", shown, failure != NULL ? ": " : "",
                          failure != NULL ? failure->message : "");
  for (guint i = 0; i < lm_catalog_get_n_layers (catalog); i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_load_layer (catalog, i);
      gboolean own = is_own_file (layer->kernel) && is_own_file (layer->initrd);
      for (guint j = 0; j < layer->builds->len && own; j++)
        own = is_own_file (&lm_layer_get_build (layer, j)->blob);
      if (!own)
        return lm_throw_null (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_FOREIGN,
                              "%s was not made by \"lamina publish\": the files of %s %s have other names; choose another directory",
                              shown, layer->name, layer->version);
    }
  return lm_portable_parse (text, shown, error);
}

static const LmBlob *
find_build_on (const LmLayer *layer, const LmBlob *build)
{
  for (guint i = 0; i < layer->builds->len; i++)
    {
      const LmBlob *other = &lm_layer_get_build (layer, i)->blob;
      if (lm_blob_has_same_parent (other, build))
        return other;
    }
  return NULL;
}

static const LmLayer *
find_layer_of (const GPtrArray *layers, const LmDigest *digest)
{
  for (guint i = 0; i < layers->len; i++)
    {
      const LmLayer *layer = g_ptr_array_index (layers, i);
      for (guint j = 0; j < layer->builds->len; j++)
        if (lm_digest_equal (&lm_layer_get_build (layer, j)->blob.digest, digest))
          return layer;
    }
  return NULL;
}

static GPtrArray *
load_layers (const LmCatalog *catalog)
{
  GPtrArray *layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  for (guint i = 0; i < lm_catalog_get_n_layers (catalog); i++)
    g_ptr_array_add (layers, lm_catalog_load_layer (catalog, i));
  return layers;
}

static gboolean
check_same_build (const GPtrArray *there, const LmLayer *layer, const LmBlob *build, GError **error)
{
  const LmLayer *same = find_same_layer (there, layer), *owner = find_layer_of (there, &build->digest);
  const LmBlob *other = same != NULL ? find_build_on (same, build) : NULL;
  if (other != NULL && !lm_digest_equal (&build->digest, &other->digest))
    return lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_DIFFERENT,
                     "%s %s is published already, with other content; give it another version, or replace it by --force", layer->name,
                     layer->version);
  if (owner != NULL && owner != same)
    return lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_DIFFERENT,
                     "the file of %s %s is published already, as %s %s, which --force would remove", layer->name, layer->version,
                     owner->name, owner->version);
  return TRUE;
}

/* What was published under a name and version stays what it is. */
static gboolean
check_same_content (const LmCatalog *known, const LmCatalog *fresh, GError **error)
{
  g_autoptr (GPtrArray) there = load_layers (known), layers = load_layers (fresh);
  for (guint i = 0; i < layers->len; i++)
    {
      const LmLayer *layer = g_ptr_array_index (layers, i);
      for (guint j = 0; j < layer->builds->len; j++)
        if (!check_same_build (there, layer, &lm_layer_get_build (layer, j)->blob, error))
          return FALSE;
    }
  return TRUE;
}

/* Whoever replaces a layer must also replace those that were built on it. */
static gboolean
check_parents (const LmCatalog *merged, GError **error)
{
  g_autoptr (GPtrArray) layers = load_layers (merged);
  char text[LM_DIGEST_STRING_SIZE];
  for (guint i = 0; i < layers->len; i++)
    {
      const LmLayer *layer = g_ptr_array_index (layers, i);
      for (guint j = 0; j < layer->builds->len; j++)
        {
          const LmBlob *build = &lm_layer_get_build (layer, j)->blob;
          if (build->has_parent && find_layer_of (layers, &build->parent) == NULL)
            return lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_DIFFERENT,
                             "%s %s was built on %s, which would not be published any more; give what replaces it another version",
                             layer->name, layer->version, lm_digest_format (&build->parent, text));
        }
    }
  return TRUE;
}

/* Returns the text of the new catalog: the old one, @old (NULL if none), and what is published. */
static char *
merge_catalog (Publication *self, GBytes *old, GError **error)
{
  g_autofree char *shown = g_build_filename (self->request->dir, LM_PORTABLE_CATALOG, NULL);
  g_autoptr (GPtrArray) groups = lm_catalog_set_load_groups (self->set);
  g_autoptr (GPtrArray) layers = g_ptr_array_new ();
  for (guint i = 0; i < self->layers->len; i++)
    if (((LmLayer *) g_ptr_array_index (self->layers, i))->builds->len > 0)
      g_ptr_array_add (layers, g_ptr_array_index (self->layers, i));
  char *text = lm_portable_to_json (NULL, groups, layers);
  g_autoptr (GBytes) bytes = g_bytes_new_take (text, strlen (text));
  g_autoptr (LmCatalog) fresh = lm_portable_parse (bytes, shown, error);
  if (fresh == NULL)
    return NULL;
  g_autoptr (LmCatalog) known = old != NULL ? parse_known (shown, old, error) : NULL;
  if (old != NULL && known == NULL)
    return NULL;
  if (known != NULL && !self->request->force && !check_same_content (known, fresh, error))
    return NULL;
  return lm_portable_merge (known != NULL ? lm_catalog_get_name (known) : NULL, known, fresh, TRUE);
}

static void
add_name (GHashTable *named, const LmBlob *blob)
{
  if (blob != NULL)
    g_hash_table_add (named, lm_portable_file_name (blob->kind, &blob->digest));
}

/* Returns the names of the files of @catalog, a set. */
static GHashTable *
list_named (const LmCatalog *catalog)
{
  GHashTable *named = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < lm_catalog_get_n_layers (catalog); i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_load_layer (catalog, i);
      for (guint j = 0; j < layer->builds->len; j++)
        add_name (named, &lm_layer_get_build (layer, j)->blob);
      add_name (named, layer->kernel);
      add_name (named, layer->initrd);
    }
  return named;
}

/* ---- the directory ---- */

/* A state directory has files of the same names, which must never be pruned. */
static gboolean
check_dir (const char *dir, GError **error)
{
  static const char *const own[] = { "leases", "partial", "machines", "lamina.db" };
  for (gsize i = 0; i < G_N_ELEMENTS (own); i++)
    {
      g_autofree char *path = g_build_filename (dir, own[i], NULL);
      if (g_file_test (path, G_FILE_TEST_EXISTS))
        return lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_FOREIGN,
                         "%s is a state directory of lamina, it has %s; choose another directory", dir, own[i]);
    }
  return TRUE;
}

/* Again, because only now a lease protects the files. */
static gboolean
check_cached (const Publication *self, GError **error)
{
  for (guint i = 0; i < self->blobs->len; i++)
    {
      const LmBlob *blob = g_ptr_array_index (self->blobs, i);
      g_autofree char *from = lm_cache_get_path (self->cache, blob->kind, &blob->digest);
      gboolean cached;
      if (!is_cached (self, blob, &cached, error))
        return FALSE;
      if (!cached)
        return lm_throw (error, LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_MISSING, "%s was removed from the cache; pull it again", from);
    }
  return TRUE;
}

/* Adds the files, if there is space for all of them and for the catalog @text. */
static gboolean
add_files (Publication *self, LmWebDir *dir, const char *text, LmPublishResult *result, GError **error)
{
  g_autoptr (GPtrArray) copied = NULL;
  if (!check_cached (self, error) || !lm_web_copy_check (self->cache, dir, self->blobs, strlen (text), &copied, error)
      || !lm_web_dir_prepare (dir, error))
    return FALSE;
  g_autoptr (GArray) hows = lm_web_copy_run (self->host, self->cache, dir, self->blobs, copied, self->cancellable, error);
  for (guint i = 0; hows != NULL && i < self->blobs->len; i++)
    {
      LmPublishFile *file = g_new0 (LmPublishFile, 1);
      lm_blob_copy (&file->blob, g_ptr_array_index (self->blobs, i));
      file->how = g_array_index (hows, LmWebDirHow, i);
      g_ptr_array_add (result->files, file);
    }
  return hows != NULL;
}

static gboolean
write_dir (Publication *self, LmWebDir *dir, LmPublishResult *result, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) old = lm_web_dir_read_catalog (dir, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  g_autofree char *text = merge_catalog (self, old, error);
  if (text == NULL)
    return FALSE;
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  result->changed = old == NULL || !g_bytes_equal (old, bytes);
  g_autoptr (LmCatalog) catalog = lm_portable_parse (bytes, LM_PORTABLE_CATALOG, error);
  if (catalog == NULL || !check_parents (catalog, error) || !add_files (self, dir, text, result, error)
      || (result->changed && !lm_web_dir_write_catalog (dir, text, error)))
    return FALSE;
  result->layers = lm_catalog_get_n_layers (catalog);
  g_autoptr (GHashTable) named = list_named (catalog);
  return lm_web_dir_note_unused (dir, named, self->request->prune_seconds, result->removed, error);
}

LmPublishResult *
lm_publish (const LmHost *host, const LmPublishRequest *request, GCancellable *cancellable, GError **error)
{
  g_auto (Publication) self = { .host = host, .request = request, .cancellable = cancellable };
  self.layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  self.blobs = g_ptr_array_new ();
  self.seen = g_hash_table_new (lm_digest_hash, lm_digest_equal_func);
  self.cache = lm_cache_open (host->state_dir, &host->cache, error);
  if (self.cache == NULL || !check_dir (request->dir, error) || !collect_layers (&self, error))
    return NULL;
  g_autoptr (LmLock) lease = lm_cache_lease (self.cache, self.blobs, cancellable, error);
  g_autoptr (LmWebDir) dir = lease != NULL ? lm_web_dir_open (request->dir, NULL, NULL, cancellable, error) : NULL;
  g_autoptr (LmPublishResult) result = g_new0 (LmPublishResult, 1);
  result->files = g_ptr_array_new_with_free_func ((GDestroyNotify) publish_file_free);
  result->removed = g_ptr_array_new_with_free_func (g_free);
  if (dir == NULL || !write_dir (&self, dir, result, error))
    return NULL;
  return g_steal_pointer (&result);
}
