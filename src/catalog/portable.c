/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/portable.h"
#include "base/error.h"
#include "base/url.h"
#include "catalog/catalog-json.h"

#include <string.h>

char *
lm_portable_file_name (LmBlobKind kind, const LmDigest *digest)
{
  g_autofree char *name = lm_digest_file_name (digest, kind == LM_BLOB_LAYER ? ".qcow2" : NULL);
  return g_build_filename (kind == LM_BLOB_LAYER ? "layers" : "blobs", name, NULL);
}

LmCatalog *
lm_portable_parse (GBytes *text, const char *shown, GError **error)
{
  gsize size;
  const char *data = g_bytes_get_data (text, &size);
  g_autoptr (GError) failure = NULL;
  LmCatalog *catalog = lm_catalog_parse (shown, NULL, LM_CATALOG_NOWHERE, data != NULL ? data : "", size, NULL, &failure);
  if (catalog != NULL)
    return catalog;
  const char *message = failure->message;
  if (g_str_has_prefix (message, LM_CATALOG_NOWHERE))
    message += strlen (LM_CATALOG_NOWHERE);
  return lm_throw_null (error, failure->domain, failure->code, "%s%s%s", shown, *message == ':' ? "" : ": ", message);
}

static gboolean
is_for_network (const char *url)
{
  g_autofree char *scheme = g_uri_parse_scheme (url);
  return scheme != NULL && (g_ascii_strcasecmp (scheme, "http") == 0 || g_ascii_strcasecmp (scheme, "https") == 0)
         && !g_str_has_prefix (url, LM_CATALOG_NOWHERE) && !lm_url_is_secret (url);
}

static void
strip_file (LmBlob *blob)
{
  if (blob == NULL)
    return;
  g_autoptr (GStrvBuilder) urls = g_strv_builder_new ();
  for (char **url = blob->urls; url != NULL && *url != NULL; url++)
    if (is_for_network (*url))
      g_strv_builder_add (urls, *url);
  g_autofree char *name = lm_portable_file_name (blob->kind, &blob->digest);
  g_strv_builder_add (urls, name);
  g_strfreev (blob->urls);
  blob->urls = g_strv_builder_end (urls);
}

static void
strip_layer (LmLayer *layer)
{
  for (guint i = 0; i < layer->builds->len; i++)
    strip_file (&lm_layer_get_build (layer, i)->blob);
  strip_file (layer->kernel);
  strip_file (layer->initrd);
}

/* Returns the group called @name of @groups; NULL if there is none. */
static LmGroup *
find_group (const GPtrArray *groups, const char *name)
{
  for (guint i = 0; i < groups->len; i++)
    if (strcmp (((LmGroup *) g_ptr_array_index (groups, i))->name, name) == 0)
      return g_ptr_array_index (groups, i);
  return NULL;
}

static gboolean
has_layer_of (const GPtrArray *layers, const char *group)
{
  for (guint i = 0; i < layers->len; i++)
    if (strcmp (((LmLayer *) g_ptr_array_index (layers, i))->group, group) == 0)
      return TRUE;
  return FALSE;
}

char *
lm_portable_to_json (const char *name, const GPtrArray *groups, const GPtrArray *layers)
{
  g_autoptr (GPtrArray) used = g_ptr_array_new ();
  g_autoptr (GPtrArray) added = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < groups->len; i++)
    if (has_layer_of (layers, ((LmGroup *) g_ptr_array_index (groups, i))->name))
      g_ptr_array_add (used, groups->pdata[i]);
  for (guint i = 0; i < layers->len; i++)
    {
      LmLayer *layer = g_ptr_array_index (layers, i);
      strip_layer (layer);
      if (find_group (used, layer->group) != NULL)
        continue;
      /* Nothing is known about it, so nothing may be forbidden. */
      LmGroup *group = g_new0 (LmGroup, 1);
      group->name = layer->group;
      group->multiple = TRUE;
      g_ptr_array_add (added, group);
      g_ptr_array_add (used, group);
    }
  return lm_catalog_to_json (name, used, layers);
}

static gboolean
is_same_layer (const LmLayer *one, const LmLayer *other)
{
  return strcmp (one->name, other->name) == 0 && strcmp (one->version, other->version) == 0
         && g_strcmp0 (one->arch, other->arch) == 0;
}

/* Whether @layer has a build on the parent of @build. */
static gboolean
has_build_on (const LmLayer *layer, const LmBlob *build)
{
  for (guint i = 0; i < layer->builds->len; i++)
    {
      const LmBlob *other = &lm_layer_get_build (layer, i)->blob;
      if (lm_blob_has_same_parent (other, build))
        return TRUE;
    }
  return FALSE;
}

/* Moves to @build what only @old, a listing of the same file, says about its contents. */
static void
take_record (LmBuild *build, LmBuild *old)
{
  /* The lists are about the difference to the parent. */
  if (build->packages == NULL && lm_blob_has_same_parent (&build->blob, &old->blob))
    {
      build->packages = g_steal_pointer (&old->packages);
      build->removed = g_steal_pointer (&old->removed);
    }
  if (!build->has_lock && old->has_lock)
    {
      build->has_lock = TRUE;
      build->lock = old->lock;
    }
}

/* Moves the builds of @old that @known (LmDigest -> LmBuild) does not contain to the layer in @layers that
 * is the same, if there is one; those that it replaces are dropped. */
static void
add_old_layer (GPtrArray *layers, GHashTable *known, LmLayer *old, gboolean replace)
{
  LmLayer *same = NULL;
  for (guint i = 0; i < layers->len && same == NULL; i++)
    if (is_same_layer (g_ptr_array_index (layers, i), old))
      same = g_ptr_array_index (layers, i);
  for (guint i = old->builds->len; i > 0; i--)
    {
      LmBuild *build = lm_layer_get_build (old, i - 1), *listed = g_hash_table_lookup (known, &build->blob.digest);
      if (listed != NULL)
        take_record (listed, build);
      if (listed != NULL || (replace && same != NULL && has_build_on (same, &build->blob)))
        g_ptr_array_remove_index (old->builds, i - 1);
      else if (same != NULL)
        g_ptr_array_add (same->builds, g_ptr_array_steal_index (old->builds, i - 1));
    }
  if (same == NULL && old->builds->len > 0)
    g_ptr_array_add (layers, old);
  else
    lm_layer_free (old);
}

static int
compare_builds (gconstpointer a, gconstpointer b)
{
  return lm_digest_compare (&(*(LmBuild *const *) a)->blob.digest, &(*(LmBuild *const *) b)->blob.digest);
}

static int
compare_layers (gconstpointer a, gconstpointer b)
{
  const LmLayer *one = *(LmLayer *const *) a, *other = *(LmLayer *const *) b;
  int by_name = strcmp (one->name, other->name);
  int by_version = by_name != 0 ? by_name : strcmp (one->version, other->version);
  return by_version != 0 ? by_version : g_strcmp0 (one->arch, other->arch);
}

/* So that the result does not depend on the order in which catalogs were merged. */
static void
sort_layers (GPtrArray *layers)
{
  g_ptr_array_sort (layers, compare_layers);
  for (guint i = 0; i < layers->len; i++)
    g_ptr_array_sort (((LmLayer *) g_ptr_array_index (layers, i))->builds, compare_builds);
}

/* Adds the groups of @catalog; one that is there already gets the properties it has here. */
static void
add_groups (GPtrArray *groups, const LmCatalog *catalog)
{
  for (guint i = 0; catalog != NULL && i < lm_catalog_get_n_groups (catalog); i++)
    {
      g_autoptr (LmGroup) group = lm_catalog_load_group (catalog, i);
      LmGroup *known = find_group (groups, group->name);
      if (known == NULL)
        {
          g_ptr_array_add (groups, g_steal_pointer (&group));
          continue;
        }
      const LmGroup before = *known;
      *known = *group;
      *group = before;
    }
}

char *
lm_portable_merge (const char *name, const LmCatalog *one, const LmCatalog *other, gboolean replace)
{
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  g_autoptr (GPtrArray) groups = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_group_free);
  g_autoptr (GHashTable) known = g_hash_table_new (lm_digest_hash, lm_digest_equal_func);
  add_groups (groups, one);
  add_groups (groups, other);
  for (guint i = 0; i < lm_catalog_get_n_layers (other); i++)
    {
      LmLayer *layer = lm_catalog_load_layer (other, i);
      g_ptr_array_add (layers, layer);
      for (guint b = 0; b < layer->builds->len; b++)
        g_hash_table_insert (known, &lm_layer_get_build (layer, b)->blob.digest, lm_layer_get_build (layer, b));
    }
  for (guint i = 0; one != NULL && i < lm_catalog_get_n_layers (one); i++)
    add_old_layer (layers, known, lm_catalog_load_layer (one, i), replace);
  sort_layers (layers);
  return lm_portable_to_json (name, groups, layers);
}

static gboolean
is_available (const LmBlob *blob, LmPortableFind find, gpointer user_data)
{
  return blob == NULL || (blob->urls != NULL && blob->urls[0] != NULL) || find (user_data, blob->kind, &blob->digest);
}

/* Returns how many builds of @layer are not available, and removes these. */
static guint
remove_unavailable (LmLayer *layer, LmPortableFind find, gpointer user_data)
{
  gboolean bootable = is_available (layer->kernel, find, user_data) && is_available (layer->initrd, find, user_data);
  guint before = layer->builds->len;
  for (guint i = before; i > 0; i--)
    if (!bootable || !is_available (&lm_layer_get_build (layer, i - 1)->blob, find, user_data))
      g_ptr_array_remove_index (layer->builds, i - 1);
  return before - layer->builds->len;
}

LmCatalog *
lm_portable_keep_available (LmCatalog *catalog, LmPortableFind find, gpointer user_data, GError **error)
{
  g_autoptr (LmCatalog) whole = catalog;
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  g_autoptr (GPtrArray) groups = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_group_free);
  guint removed = 0;
  for (guint i = 0; i < lm_catalog_get_n_layers (whole); i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_load_layer (whole, i);
      removed += remove_unavailable (layer, find, user_data);
      if (layer->builds->len > 0)
        g_ptr_array_add (layers, g_steal_pointer (&layer));
    }
  if (removed == 0)
    return g_steal_pointer (&whole);
  add_groups (groups, whole);
  char *text = lm_portable_to_json (lm_catalog_get_name (whole), groups, layers);
  g_autoptr (GBytes) bytes = g_bytes_new_take (text, strlen (text));
  return lm_portable_parse (bytes, lm_catalog_get_source (whole), error);
}
