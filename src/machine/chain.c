/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/chain.h"
#include "base/error.h"
#include "image/overlay.h"
#include "image/qcow2.h"

#include <string.h>

G_DEFINE_QUARK (lm-chain-error-quark, lm_chain_error)

/* A child's backing name is relative, so its parent must lie beside it under
 * the name that the digest gives. */
static gboolean
check_path (const LmPlanItem *item, const LmPlanItem *below, GError **error)
{
  g_autofree char *wanted = lm_digest_file_name (&item->digest, ".qcow2");
  g_autofree char *base = g_path_get_basename (item->path);
  g_autofree char *dir = g_path_get_dirname (item->path);
  g_autofree char *dir_below = g_path_get_dirname (below != NULL ? below->path : item->path);
  if (g_path_is_absolute (item->path) && strcmp (base, wanted) == 0 && strcmp (dir, dir_below) == 0)
    return TRUE;
  return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN, "layer %s cannot be used from %s", item->name,
                   item->path);
}

static gboolean
check_layer (const LmPlanItem *item, const LmPlanItem *below, guint64 *out_size, GError **error)
{
  if (below == NULL ? item->has_parent : !item->has_parent || !lm_digest_equal (&item->parent, &below->digest))
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN, "layer %s is not made for %s", item->name,
                     below != NULL ? below->name : "the bottom of a chain");
  if (!check_path (item, below, error))
    return FALSE;

  g_autoptr (GError) failure = NULL;
  LmQcow2Header header;
  guint64 file_size = 0;
  if (!lm_qcow2_read (item->path, &header, &file_size, &failure)
      || !lm_qcow2_check_layer (&header, file_size, below != NULL ? &below->digest : NULL, &failure))
    {
      if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_MISSING, "layer %s is not cached (%s)", item->name,
                         item->path);
      if (failure->domain != LM_IMAGE_ERROR)
        {
          g_propagate_prefixed_error (error, g_steal_pointer (&failure), "layer %s: ", item->name);
          return FALSE;
        }
      return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN, "layer %s is damaged: %s; remove %s", item->name,
                       failure->message, item->path);
    }
  if (file_size != item->size)
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN,
                     "layer %s is damaged: it has %" G_GUINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT "; remove %s",
                     item->name, file_size, item->size, item->path);
  *out_size = header.virtual_size;
  return TRUE;
}

static gboolean
check_chain (const LmPlan *plan, guint64 *out_size, GError **error)
{
  if (plan->layers->len == 0)
    return lm_throw (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN, "there is no layer to make a disk of");
  guint64 largest = 0;
  const LmPlanItem *below = NULL;
  for (guint i = 0; i < plan->layers->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (plan->layers, i);
      guint64 size;
      if (!check_layer (item, below, &size, error))
        return FALSE;
      largest = MAX (largest, size);
      below = item;
    }
  *out_size = largest;
  return TRUE;
}

gboolean
lm_chain_make_overlay (const LmPlan *plan, const char *path, guint64 size, guint64 *out_size,
                       GCancellable *cancellable, GError **error)
{
  guint64 least = 0;
  if (!check_chain (plan, &least, error))
    return FALSE;
  const LmPlanItem *top = g_ptr_array_index (plan->layers, plan->layers->len - 1);
  return lm_overlay_create (top->path, path, MAX (size, least), out_size, cancellable, error);
}
