/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/catalog.h"
#include "base/error.h"
#include "base/url.h"
#include "catalog/catalog-json.h"
#include "catalog/catalog-reader.h"
#include "catalog/index.h"

#include <string.h>

G_DEFINE_QUARK (lm-catalog-error-quark, lm_catalog_error)
G_STATIC_ASSERT (LM_CATALOG_NONE == LM_INDEX_NONE);

struct _LmCatalog
{
  GBytes *bytes;
  LmIndex p; /* points into bytes */
  char *source;
  char *directories[2]; /* to which plain URLs are appended, in this order; the second may be NULL */
};

static LmCatalog *
catalog_new (GBytes *bytes, const LmIndex *index, const char *source)
{
  LmCatalog *catalog = g_new0 (LmCatalog, 1);
  catalog->bytes = g_bytes_ref (bytes);
  catalog->p = *index;
  catalog->source = g_strdup (source);
  char **directories = catalog->directories;
  directories[0] = lm_url_directory (lm_index_string (index, index->header->base_url));
  if (index->header->requested_url == 0)
    return catalog;
  directories[1] = directories[0];
  directories[0] = lm_url_directory (lm_index_string (index, index->header->requested_url));
  if (strcmp (directories[0], directories[1]) == 0)
    g_clear_pointer (&directories[1], g_free);
  return catalog;
}

/* Returns @requested_url if it differs from @base_url, else NULL. */
static const char *
get_other_url (const char *base_url, const char *requested_url)
{
  return g_strcmp0 (requested_url, base_url) != 0 ? requested_url : NULL;
}

/* @bytes is the index, which is freed, or NULL. */
static LmCatalog *
open_index (GBytes *bytes, const char *source)
{
  if (bytes == NULL)
    return NULL;
  LmIndex index;
  lm_index_open (g_bytes_get_data (bytes, NULL), &index);
  LmCatalog *catalog = catalog_new (bytes, &index, source);
  g_bytes_unref (bytes);
  return catalog;
}

LmCatalog *
lm_catalog_parse (const char *source, const char *requested_url, const char *base_url, const char *text, gsize size,
                  GPtrArray *warnings, GError **error)
{
  return open_index (lm_catalog_read (get_other_url (base_url, requested_url), base_url, 0, text, size, warnings, error), source);
}

LmCatalog *
lm_catalog_parse_own (const char *source, const char *text, GError **error)
{
  return open_index (lm_catalog_read (NULL, LM_CATALOG_NOWHERE, LM_CATALOG_READ_OWN, text, strlen (text), NULL, error), source);
}

LmCatalog *
lm_catalog_new_unbuilt (const char *source, const GPtrArray *groups, const GPtrArray *layers, GError **error)
{
  g_autofree char *text = lm_catalog_to_json (NULL, groups, layers);
  return open_index (lm_catalog_read (NULL, LM_CATALOG_NOWHERE, LM_CATALOG_READ_UNBUILT | LM_CATALOG_READ_OWN, text, strlen (text), NULL, error), source);
}

GBytes *
lm_catalog_serialize (const LmCatalog *catalog, const char *stamp)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (catalog->bytes, &size);
  return lm_index_serialize (data, size, stamp);
}

LmCatalog *
lm_catalog_load (GBytes *index, const char *source, const char *requested_url, const char *base_url, const char *stamp,
                 GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (index, &size);
  const char *why;
  LmIndex p;
  g_autoptr (GBytes) bytes = g_bytes_ref (index);
  if ((guintptr) data % 8 != 0)
    {
      g_bytes_unref (bytes);
      bytes = g_bytes_new (data, size);
      data = g_bytes_get_data (bytes, NULL);
    }
  if (!lm_index_check (data, size, &p, &why))
    return lm_throw_null (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_CORRUPT,
                          "the index of the catalog %s cannot be used: %s", source, why);
  const char *requested = lm_index_string (&p, p.header->requested_url);
  if (strcmp (lm_index_string (&p, p.header->base_url), base_url) != 0 || strcmp (lm_index_stamp (&p), stamp) != 0
      || g_strcmp0 (requested, get_other_url (base_url, requested_url)) != 0)
    return lm_throw_null (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_STALE,
                          "the index of the catalog %s is out of date", source);
  return catalog_new (bytes, &p, source);
}

void
lm_catalog_free (LmCatalog *catalog)
{
  if (catalog == NULL)
    return;
  g_bytes_unref (catalog->bytes);
  g_free (catalog->source);
  for (gsize i = 0; i < G_N_ELEMENTS (catalog->directories); i++)
    g_free (catalog->directories[i]);
  g_free (catalog);
}

gboolean
lm_catalog_has_secrets (const LmCatalog *catalog)
{
  /* The lists contain the URLs as well as relations and packages, in which such characters do not occur. */
  for (guint32 i = 0; i < catalog->p.count[LM_INDEX_LISTS]; i++)
    if (lm_url_is_secret (lm_index_string (&catalog->p, catalog->p.lists[i])))
      return TRUE;
  return FALSE;
}

const char *
lm_catalog_get_source (const LmCatalog *catalog)
{
  return catalog->source;
}

const char *
lm_catalog_get_name (const LmCatalog *catalog)
{
  return lm_index_string (&catalog->p, catalog->p.header->name);
}

guint
lm_catalog_get_n_groups (const LmCatalog *catalog)
{
  return catalog->p.count[LM_INDEX_GROUPS];
}

guint
lm_catalog_get_n_layers (const LmCatalog *catalog)
{
  return catalog->p.count[LM_INDEX_LAYERS];
}

static char *
dup_index_string (const LmCatalog *catalog, guint32 offset)
{
  return g_strdup (lm_index_string (&catalog->p, offset));
}

LmGroup *
lm_catalog_load_group (const LmCatalog *catalog, guint index)
{
  const LmIndexGroup *from = &catalog->p.groups[index];
  LmGroup *group = g_new0 (LmGroup, 1);
  group->name = dup_index_string (catalog, from->name);
  group->title = dup_index_string (catalog, from->title);
  group->required = from->required != 0;
  group->multiple = from->multiple != 0;
  return group;
}

static char **
load_list (const LmCatalog *catalog, LmIndexSpan span)
{
  char **list = g_new0 (char *, span.n + 1);
  for (guint32 i = 0; i < span.n; i++)
    list[i] = dup_index_string (catalog, catalog->p.lists[span.first + i]);
  return list;
}

static char **
load_urls (const LmCatalog *catalog, LmIndexSpan span)
{
  gsize n_directories = catalog->directories[1] ? 2 : 1, n = 0;
  gboolean nowhere = strcmp (catalog->directories[0], LM_CATALOG_NOWHERE) == 0;
  char **urls = g_new0 (char *, span.n * n_directories + 1);
  for (guint32 i = 0; i < span.n; i++)
    {
      const char *url = lm_index_string (&catalog->p, catalog->p.lists[span.first + i]);
      gboolean absolute = strchr (url, ':') != NULL;
      if (nowhere && (!absolute || g_str_has_prefix (url, LM_CATALOG_NOWHERE)))
        continue;
      if (absolute)
        urls[n++] = g_strdup (url);
      else
        for (gsize j = 0; j < n_directories; j++)
          urls[n++] = g_strconcat (catalog->directories[j], url, NULL);
    }
  return urls;
}

static LmBlob *
load_blob (const LmCatalog *catalog, guint32 number, const char *name)
{
  if (number == LM_INDEX_NONE)
    return NULL;
  const LmIndexBlob *from = &catalog->p.blobs[number];
  LmBlob *blob = g_new0 (LmBlob, 1);
  blob->kind = LM_BLOB_FILE;
  blob->name = g_strdup (name);
  blob->digest = from->digest;
  blob->size = from->size;
  blob->urls = load_urls (catalog, from->urls);
  return blob;
}

LmBuild *
lm_catalog_load_build (const LmCatalog *catalog, guint number)
{
  const LmIndexBuild *from = &catalog->p.builds[number];
  LmBuild *build = g_new0 (LmBuild, 1);
  build->blob = (LmBlob){ .kind = LM_BLOB_LAYER,
                          .name = dup_index_string (catalog, catalog->p.layers[from->layer].name),
                          .digest = from->digest,
                          .has_parent = from->has_parent != 0,
                          .parent = from->parent,
                          .size = from->size,
                          .urls = load_urls (catalog, from->urls) };
  if (from->contents == 0)
    return build;
  const LmIndexContents *contents = &catalog->p.contents[from->contents - 1];
  build->has_lock = contents->has_lock != 0;
  build->lock = contents->lock;
  if (contents->has_packages)
    {
      build->packages = load_list (catalog, contents->packages);
      build->removed = load_list (catalog, contents->removed);
    }
  return build;
}

LmLayer *
lm_catalog_load_layer (const LmCatalog *catalog, guint index)
{
  const LmIndexLayer *from = &catalog->p.layers[index];
  LmLayer *layer = g_new0 (LmLayer, 1);
  layer->name = dup_index_string (catalog, from->name);
  layer->version = dup_index_string (catalog, from->version);
  layer->group = dup_index_string (catalog, from->group);
  layer->summary = dup_index_string (catalog, from->summary);
  layer->osinfo = dup_index_string (catalog, from->osinfo);
  layer->arch = dup_index_string (catalog, from->arch);
  layer->ready = dup_index_string (catalog, from->ready);
  layer->cmdline = dup_index_string (catalog, from->cmdline);
  layer->origin = dup_index_string (catalog, from->origin);
  layer->kernel = load_blob (catalog, from->kernel, "kernel");
  layer->initrd = load_blob (catalog, from->initrd, "initrd");
  layer->memory = from->memory;
  layer->disk = from->disk;
  layer->provides = load_list (catalog, from->provides);
  layer->requires = load_list (catalog, from->requires);
  layer->conflicts = load_list (catalog, from->conflicts);
  layer->builds = g_ptr_array_new_full (from->builds.n, (GDestroyNotify) lm_build_free);
  for (guint32 i = 0; i < from->builds.n; i++)
    g_ptr_array_add (layer->builds, lm_catalog_load_build (catalog, from->builds.first + i));
  layer->source = catalog->source;
  return layer;
}

guint
lm_catalog_find_name (const LmCatalog *catalog, const char *name)
{
  return lm_index_find_layer (&catalog->p, name);
}

guint
lm_catalog_find_name_next (const LmCatalog *catalog, guint layer)
{
  return catalog->p.layers[layer].next;
}

void
lm_catalog_find_provided (const LmCatalog *catalog, const char *name, GArray *layers)
{
  guint32 i = lm_index_find_provide (&catalog->p, name);
  for (; i != LM_INDEX_NONE; i = catalog->p.provides[i].next)
    g_array_append_val (layers, catalog->p.provides[i].layer);
}

guint
lm_catalog_find_build (const LmCatalog *catalog, const LmDigest *digest)
{
  return lm_index_find_build (&catalog->p, digest);
}

LmCatalogBuild
lm_catalog_get_build (const LmCatalog *catalog, guint build)
{
  const LmIndexBuild *from = &catalog->p.builds[build];
  return (LmCatalogBuild){ .digest = &from->digest,
                           .parent = from->has_parent ? &from->parent : NULL,
                           .size = from->size,
                           .layer = from->layer };
}

guint
lm_catalog_get_builds (const LmCatalog *catalog, guint layer, guint *out_n)
{
  LmIndexSpan span = catalog->p.layers[layer].builds;
  *out_n = span.n;
  return span.first;
}

char **
lm_catalog_get_build_urls (const LmCatalog *catalog, guint build)
{
  return load_urls (catalog, catalog->p.builds[build].urls);
}

const char *
lm_catalog_get_layer_name (const LmCatalog *catalog, guint layer)
{
  return lm_index_string (&catalog->p, catalog->p.layers[layer].name);
}

const char *
lm_catalog_get_layer_version (const LmCatalog *catalog, guint layer)
{
  return lm_index_string (&catalog->p, catalog->p.layers[layer].version);
}

const char *
lm_catalog_get_layer_group (const LmCatalog *catalog, guint layer)
{
  return lm_index_string (&catalog->p, catalog->p.layers[layer].group);
}

static const LmDigest *
get_layer_file (const LmCatalog *catalog, guint32 number, guint64 *out_size)
{
  if (number == LM_INDEX_NONE)
    return NULL;
  *out_size = catalog->p.blobs[number].size;
  return &catalog->p.blobs[number].digest;
}

const LmDigest *
lm_catalog_get_layer_kernel (const LmCatalog *catalog, guint layer, guint64 *out_size)
{
  return get_layer_file (catalog, catalog->p.layers[layer].kernel, out_size);
}

const LmDigest *
lm_catalog_get_layer_initrd (const LmCatalog *catalog, guint layer, guint64 *out_size)
{
  return get_layer_file (catalog, catalog->p.layers[layer].initrd, out_size);
}
