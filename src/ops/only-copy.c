/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/only-copy.h"
#include "source/local.h"

static void
add_only_copy (GHashTable *only, const LmCatalogSet *set, LmBlob *blob)
{
  if (blob == NULL)
    return;
  lm_catalog_set_add_urls (set, blob);
  if (blob->urls[0] == NULL)
    g_hash_table_add (only, g_memdup2 (&blob->digest, sizeof blob->digest));
}

GHashTable *
lm_only_copy_list (const LmHost *host, GCancellable *cancellable, GError **error)
{
  g_autoptr (GHashTable) only = g_hash_table_new_full (lm_digest_hash, lm_digest_equal_func, g_free, NULL);
  g_autoptr (LmCatalog) local = NULL;
  if (!lm_local_load (host->state_dir, &local, error))
    return NULL;
  if (local == NULL)
    return g_steal_pointer (&only);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmCatalogSet) set = lm_source_load_all (host->state_dir, NULL, warnings, cancellable, error);
  if (set == NULL)
    return NULL;
  for (guint i = 0; i < lm_catalog_get_n_layers (local); i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_load_layer (local, i);
      for (guint b = 0; b < layer->builds->len; b++)
        add_only_copy (only, set, g_ptr_array_index (layer->builds, b));
      add_only_copy (only, set, layer->kernel);
      add_only_copy (only, set, layer->initrd);
    }
  return g_steal_pointer (&only);
}
