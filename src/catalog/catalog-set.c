/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/catalog-set.h"
#include "base/suggestion.h"
#include "catalog/version.h"

#include <string.h>

typedef struct
{
  LmCatalog *catalog;
  int priority;
} Member;

struct _LmCatalogSet
{
  GArray *members; /* highest priority first */
};

static void
member_clear (gpointer data)
{
  lm_catalog_free (((Member *) data)->catalog);
}

LmCatalogSet *
lm_catalog_set_new (void)
{
  LmCatalogSet *set = g_new0 (LmCatalogSet, 1);
  set->members = g_array_new (FALSE, FALSE, sizeof (Member));
  g_array_set_clear_func (set->members, member_clear);
  return set;
}

void
lm_catalog_set_free (LmCatalogSet *set)
{
  if (set == NULL)
    return;
  g_array_unref (set->members);
  g_free (set);
}

static const Member *
get_set_member (const LmCatalogSet *set, guint index)
{
  return &g_array_index (set->members, Member, index);
}

void
lm_catalog_set_add (LmCatalogSet *set, LmCatalog *catalog, int priority)
{
  Member added = { catalog, priority };
  guint at = 0;
  while (at < set->members->len && get_set_member (set, at)->priority >= priority)
    at++;
  g_array_insert_val (set->members, at, added);
}

guint
lm_catalog_set_get_length (const LmCatalogSet *set)
{
  return set->members->len;
}

const LmCatalog *
lm_catalog_set_get (const LmCatalogSet *set, guint index)
{
  return get_set_member (set, index)->catalog;
}

/* Gets the highest priority of the catalogs that have @name; FALSE if none has it. */
static gboolean
priority_of_name (const LmCatalogSet *set, const char *name, int *out_priority)
{
  for (guint i = 0; i < set->members->len; i++)
    if (lm_catalog_find_name (get_set_member (set, i)->catalog, name) != LM_CATALOG_NONE)
      {
        *out_priority = get_set_member (set, i)->priority;
        return TRUE;
      }
  return FALSE;
}

gboolean
lm_catalog_set_is_visible (const LmCatalogSet *set, LmLayerRef ref)
{
  int priority;
  const Member *m = get_set_member (set, ref.catalog);
  return priority_of_name (set, lm_catalog_get_layer_name (m->catalog, ref.layer), &priority)
         && m->priority == priority;
}

const LmCatalog *
lm_catalog_set_find_hiding (const LmCatalogSet *set, const char *name, int priority)
{
  for (guint i = 0; i < set->members->len && get_set_member (set, i)->priority > priority; i++)
    if (lm_catalog_find_name (get_set_member (set, i)->catalog, name) != LM_CATALOG_NONE)
      return get_set_member (set, i)->catalog;
  return NULL;
}

void
lm_catalog_set_find_name (const LmCatalogSet *set, const char *name, GArray *refs)
{
  int priority;
  if (!priority_of_name (set, name, &priority))
    return;
  for (guint i = 0; i < set->members->len; i++)
    if (get_set_member (set, i)->priority == priority)
      {
        const LmCatalog *catalog = get_set_member (set, i)->catalog;
        guint layer = lm_catalog_find_name (catalog, name);
        for (; layer != LM_CATALOG_NONE; layer = lm_catalog_find_name_next (catalog, layer))
          {
            LmLayerRef ref = { i, layer };
            g_array_append_val (refs, ref);
          }
      }
}

void
lm_catalog_set_find_provided (const LmCatalogSet *set, const char *name, GArray *refs)
{
  g_autoptr (GArray) layers = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < set->members->len; i++)
    {
      g_array_set_size (layers, 0);
      lm_catalog_find_provided (get_set_member (set, i)->catalog, name, layers);
      for (guint j = 0; j < layers->len; j++)
        {
          LmLayerRef ref = { i, g_array_index (layers, guint, j) };
          if (lm_catalog_set_is_visible (set, ref))
            g_array_append_val (refs, ref);
        }
    }
}

/* Appends those of @more to *@urls that it does not contain yet. */
static void
add_missing_urls (char ***urls, char **more)
{
  g_autoptr (GStrvBuilder) all = g_strv_builder_new ();
  g_strv_builder_addv (all, (const char **) *urls);
  for (char **u = more; u && *u; u++)
    if (!g_strv_contains ((const char *const *) *urls, *u))
      g_strv_builder_add (all, *u);
  g_strfreev (*urls);
  *urls = g_strv_builder_end (all);
}

/* A listing with a different size or parent is not about the same file, even if the digest is the same. */
static gboolean
is_same_file (LmCatalogBuild other, const LmBlob *build)
{
  return other.size == build->size && (other.parent != NULL) == build->has_parent
         && (!build->has_parent || lm_digest_equal (other.parent, &build->parent));
}

static void
add_blob_mirrors (LmBlob *own, const LmBlob *other)
{
  if (own != NULL && other != NULL && own->size == other->size && lm_digest_equal (&own->digest, &other->digest))
    add_missing_urls (&own->urls, other->urls);
}

/* Adds the URLs that other catalogs have for the same file, and for the kernel and
 * initrd of the layer. */
static void
add_mirrors (const LmCatalogSet *set, guint own, LmLayer *layer, LmBlob *build)
{
  for (guint i = 0; i < set->members->len; i++)
    {
      const LmCatalog *catalog = get_set_member (set, i)->catalog;
      guint found = i == own ? LM_CATALOG_NONE : lm_catalog_find_build (catalog, &build->digest);
      if (found == LM_CATALOG_NONE || !is_same_file (lm_catalog_get_build (catalog, found), build))
        continue;
      g_auto (GStrv) urls = lm_catalog_get_build_urls (catalog, found);
      add_missing_urls (&build->urls, urls);
      if (layer->kernel == NULL)
        continue;
      g_autoptr (LmLayer) other = lm_catalog_load_layer (catalog, lm_catalog_get_build (catalog, found).layer);
      add_blob_mirrors (layer->kernel, other->kernel);
      add_blob_mirrors (layer->initrd, other->initrd);
    }
}

LmLayer *
lm_catalog_set_load_layer (const LmCatalogSet *set, LmLayerRef ref)
{
  LmLayer *layer = lm_catalog_load_layer (get_set_member (set, ref.catalog)->catalog, ref.layer);
  for (guint i = 0; set->members->len > 1 && i < layer->builds->len; i++)
    add_mirrors (set, ref.catalog, layer, &lm_layer_get_build (layer, i)->blob);
  return layer;
}

static void
add_urls_of (LmBlob *blob, const LmBlob *listed)
{
  if (listed != NULL && lm_digest_equal (&listed->digest, &blob->digest))
    add_missing_urls (&blob->urls, listed->urls);
}

/* Finds out without loading the layer, which may list thousands of packages. */
static gboolean
has_boot_file (const LmCatalog *catalog, guint layer, const LmDigest *digest)
{
  guint64 size;
  const LmDigest *kernel = lm_catalog_get_layer_kernel (catalog, layer, &size);
  const LmDigest *initrd = lm_catalog_get_layer_initrd (catalog, layer, &size);
  return (kernel != NULL && lm_digest_equal (kernel, digest)) || (initrd != NULL && lm_digest_equal (initrd, digest));
}

void
lm_catalog_set_add_urls (const LmCatalogSet *set, LmBlob *blob)
{
  if (blob->urls == NULL)
    blob->urls = g_new0 (char *, 1);
  for (guint i = 0; i < set->members->len; i++)
    {
      const LmCatalog *catalog = get_set_member (set, i)->catalog;
      guint build = blob->kind == LM_BLOB_LAYER ? lm_catalog_find_build (catalog, &blob->digest) : LM_CATALOG_NONE;
      g_auto (GStrv) urls = build != LM_CATALOG_NONE ? lm_catalog_get_build_urls (catalog, build) : NULL;
      add_missing_urls (&blob->urls, urls);
      for (guint j = 0; blob->kind == LM_BLOB_FILE && j < lm_catalog_get_n_layers (catalog); j++)
        {
          if (!has_boot_file (catalog, j, &blob->digest))
            continue;
          g_autoptr (LmLayer) layer = lm_catalog_load_layer (catalog, j);
          add_urls_of (blob, layer->kernel);
          add_urls_of (blob, layer->initrd);
        }
    }
}

GPtrArray *
lm_catalog_set_load_groups (const LmCatalogSet *set)
{
  GPtrArray *groups = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_group_free);
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < set->members->len; i++)
    for (guint j = 0; j < lm_catalog_get_n_groups (get_set_member (set, i)->catalog); j++)
      {
        g_autoptr (LmGroup) group = lm_catalog_load_group (get_set_member (set, i)->catalog, j);
        if (g_hash_table_contains (known, group->name))
          continue;
        g_hash_table_add (known, group->name);
        g_ptr_array_add (groups, g_steal_pointer (&group));
      }
  return groups;
}

gboolean
lm_catalog_set_declares_group (const LmCatalogSet *set, guint index, const char *name)
{
  const LmCatalog *catalog = get_set_member (set, index)->catalog;
  for (guint i = 0; i < lm_catalog_get_n_groups (catalog); i++)
    {
      g_autoptr (LmGroup) group = lm_catalog_load_group (catalog, i);
      if (strcmp (group->name, name) == 0)
        return TRUE;
    }
  return FALSE;
}

static int
compare_listed (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const LmLayer *one = *(LmLayer *const *) a, *two = *(LmLayer *const *) b;
  GHashTable *order = user_data;
  int by_group = GPOINTER_TO_INT (g_hash_table_lookup (order, one->group)) - GPOINTER_TO_INT (g_hash_table_lookup (order, two->group));
  int by_name = by_group ? by_group : strcmp (one->name, two->name);
  int by_version = by_name ? by_name : lm_version_compare (two->version, one->version);
  return by_version ? by_version : g_strcmp0 (one->arch, two->arch);
}

GPtrArray *
lm_catalog_set_load_layers (const LmCatalogSet *set)
{
  GPtrArray *layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  g_autoptr (GPtrArray) groups = lm_catalog_set_load_groups (set);
  g_autoptr (GHashTable) order = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < groups->len; i++)
    g_hash_table_insert (order, ((LmGroup *) groups->pdata[i])->name, GINT_TO_POINTER ((int) i));
  for (guint i = 0; i < set->members->len; i++)
    for (guint j = 0; j < lm_catalog_get_n_layers (get_set_member (set, i)->catalog); j++)
      if (lm_catalog_set_is_visible (set, (LmLayerRef){ i, j }))
        g_ptr_array_add (layers, lm_catalog_set_load_layer (set, (LmLayerRef){ i, j }));
  g_ptr_array_sort_with_data (layers, compare_listed, order);
  return layers;
}

char *
lm_catalog_set_suggest (const LmCatalogSet *set, const char *name)
{
  LmSuggestion suggestion;
  lm_suggestion_init (&suggestion, name);
  for (guint i = 0; i < set->members->len; i++)
    for (guint j = 0; j < lm_catalog_get_n_layers (get_set_member (set, i)->catalog); j++)
      lm_suggestion_consider (&suggestion, lm_catalog_get_layer_name (get_set_member (set, i)->catalog, j));
  return g_strdup (suggestion.best);
}
