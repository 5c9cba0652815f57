/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/chain.h"
#include "base/error.h"
#include "image/overlay.h"
#include "image/qcow2.h"

#include <string.h>

G_DEFINE_QUARK (lm-chain-error-quark, lm_chain_error)

static gboolean
check_layer (LmCache *cache, const LmBlob *layer, const LmBlob *below, guint64 *out_size, GError **error)
{
  if (below == NULL ? layer->has_parent : !layer->has_parent || !lm_digest_equal (&layer->parent, &below->digest))
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN, "layer %s is not made for %s", layer->name,
                     below != NULL ? below->name : "the bottom of a chain");
  g_autofree char *path = lm_cache_get_path (cache, LM_BLOB_LAYER, &layer->digest);
  g_autoptr (GError) failure = NULL;
  LmQcow2Header header;
  guint64 file_size = 0;
  if (!lm_qcow2_read (path, &header, &file_size, &failure)
      || !lm_qcow2_check_layer (&header, file_size, below != NULL ? &below->digest : NULL, &failure))
    {
      if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_MISSING, "layer %s is not cached (%s)", layer->name,
                         path);
      if (failure->domain != LM_IMAGE_ERROR)
        {
          g_propagate_prefixed_error (error, g_steal_pointer (&failure), "layer %s: ", layer->name);
          return FALSE;
        }
      return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN, "layer %s is damaged: %s; remove %s", layer->name,
                       failure->message, path);
    }
  if (file_size != layer->size)
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN,
                     "layer %s is damaged: it has %" G_GUINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT "; remove %s",
                     layer->name, file_size, layer->size, path);
  *out_size = header.virtual_size;
  return TRUE;
}

static gboolean
check_chain (LmCache *cache, const GPtrArray *layers, guint64 *out_size, GError **error)
{
  if (layers->len == 0)
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN, "there is no layer to make a disk of");
  guint64 largest = 0;
  const LmBlob *below = NULL;
  for (guint i = 0; i < layers->len; i++)
    {
      const LmBlob *layer = g_ptr_array_index (layers, i);
      guint64 size;
      if (!check_layer (cache, layer, below, &size, error))
        return FALSE;
      largest = MAX (largest, size);
      below = layer;
    }
  *out_size = largest;
  return TRUE;
}

gboolean
lm_chain_make_overlay (LmCache *cache, const GPtrArray *layers, const char *path, guint64 size, guint64 *out_size,
                       GCancellable *cancellable, GError **error)
{
  guint64 least = 0;
  if (!check_chain (cache, layers, &least, error))
    return FALSE;
  const LmBlob *top = g_ptr_array_index (layers, layers->len - 1);
  g_autofree char *top_path = lm_cache_get_path (cache, LM_BLOB_LAYER, &top->digest);
  return lm_overlay_create (top_path, path, MAX (size, least), out_size, cancellable, error);
}
