/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/only-copy.h"
#include "source/local.h"

static void
add_file (GHashTable *files, const LmBlob *blob)
{
  if (blob != NULL)
    g_hash_table_add (files, g_memdup2 (&blob->digest, sizeof blob->digest));
}

GHashTable *
lm_only_copy_list (const LmHost *host, GError **error)
{
  g_autoptr (GHashTable) files = g_hash_table_new_full (lm_digest_hash, lm_digest_equal_func, g_free, NULL);
  g_autoptr (LmCatalog) local = NULL;
  if (!lm_local_load (host->state_dir, &local, error))
    return NULL;
  for (guint i = 0; local != NULL && i < lm_catalog_get_n_layers (local); i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_load_layer (local, i);
      for (guint b = 0; b < layer->builds->len; b++)
        add_file (files, &lm_layer_get_build (layer, b)->blob);
      add_file (files, layer->kernel);
      add_file (files, layer->initrd);
    }
  return g_steal_pointer (&files);
}

gboolean
lm_only_copy_has (const LmHost *host, const LmDigest *digest)
{
  g_autoptr (GHashTable) files = lm_only_copy_list (host, NULL);
  return files != NULL && g_hash_table_contains (files, digest);
}
