/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/chain.h"
#include "base/error.h"
#include "image/overlay.h"
#include "image/qcow2.h"

G_DEFINE_QUARK (lm-chain-error-quark, lm_chain_error)

/* Reads the header of a layer, which must be in the cache and undamaged. */
static gboolean
read_layer_header (LmCache *cache, const LmBlob *layer, LmQcow2Header *out_header, guint64 *out_file_size,
                   GCancellable *cancellable, GError **error)
{
  g_autofree char *path = lm_cache_get_path (cache, LM_BLOB_LAYER, &layer->digest);
  LmCacheState state;
  if (!lm_cache_check (cache, layer, &state, cancellable, error))
    {
      g_prefix_error (error, "layer %s: ", layer->name);
      return FALSE;
    }
  if (state == LM_CACHE_MISSING)
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_MISSING, "layer %s is not cached (%s)", layer->name, path);
  if (state == LM_CACHE_DAMAGED)
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_MISSING,
                     "layer %s is damaged: the contents of %s do not match its digest; \"lamina pull\" replaces it",
                     layer->name, path);
  g_autoptr (GError) failure = NULL;
  if (lm_qcow2_read (path, out_header, out_file_size, &failure))
    return TRUE;
  if (failure->domain == LM_IMAGE_ERROR)
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN, "layer %s cannot be used: %s", layer->name,
                     failure->message);
  g_propagate_prefixed_error (error, g_steal_pointer (&failure), "layer %s: ", layer->name);
  return FALSE;
}

static gboolean
check_chain_layer (LmCache *cache, const LmBlob *layer, const LmBlob *below, guint64 size_below, guint64 *out_size,
                   GCancellable *cancellable, GError **error)
{
  if (below == NULL ? layer->has_parent : !layer->has_parent || !lm_digest_equal (&layer->parent, &below->digest))
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN, "layer %s is not %s%s", layer->name,
                     below != NULL ? "built on " : "a base", below != NULL ? below->name : "");
  LmQcow2Header header;
  guint64 file_size = 0;
  if (!read_layer_header (cache, layer, &header, &file_size, cancellable, error))
    return FALSE;
  g_autoptr (GError) failure = NULL;
  if (!lm_qcow2_check_layer (&header, file_size, below != NULL ? &below->digest : NULL, &failure))
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN,
                     "layer %s is not what its catalog says: %s; the file has the right digest, so the catalog is wrong",
                     layer->name, failure->message);
  if (header.virtual_size < size_below)
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN,
                     "layer %s cannot be used: its disk has %" G_GUINT64_FORMAT " bytes, but that of its parent %s has %"
                     G_GUINT64_FORMAT ", so data would be lost; it must be built again",
                     layer->name, header.virtual_size, below->name, size_below);
  *out_size = header.virtual_size;
  return TRUE;
}

gboolean
lm_chain_check (LmCache *cache, const GPtrArray *layers, guint64 *out_size, GCancellable *cancellable, GError **error)
{
  if (layers->len == 0)
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN, "there is no layer to create a disk from");
  guint64 size = 0;
  const LmBlob *below = NULL;
  for (guint i = 0; i < layers->len; i++)
    {
      const LmBlob *layer = g_ptr_array_index (layers, i);
      if (!check_chain_layer (cache, layer, below, size, &size, cancellable, error))
        return FALSE;
      below = layer;
    }
  if (out_size != NULL)
    *out_size = size;
  return TRUE;
}

gboolean
lm_chain_make_overlay (LmCache *cache, const GPtrArray *layers, const char *path, guint64 size, guint64 *out_size,
                       GCancellable *cancellable, GError **error)
{
  guint64 least = 0;
  if (!lm_chain_check (cache, layers, &least, cancellable, error))
    return FALSE;
  const LmBlob *top = g_ptr_array_index (layers, layers->len - 1);
  g_autofree char *top_path = lm_cache_get_path (cache, LM_BLOB_LAYER, &top->digest);
  return lm_overlay_create (top_path, path, MAX (size, least), out_size, cancellable, error);
}
