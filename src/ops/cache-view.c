/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/cache-view.h"
#include "base/error.h"
#include "image/qcow2.h"

#include <sys/stat.h>

/* Sets the size and parent of @blob to those of the file, as far as they can be determined. */
static gboolean
read_file_properties (const char *path, LmBlob *blob, GError **error)
{
  if (blob->kind != LM_BLOB_LAYER)
    {
      struct stat st;
      if (lstat (path, &st) < 0)
        return lm_throw_errno (error, "cannot stat %s", path);
      blob->size = (guint64) st.st_size;
      return TRUE;
    }
  LmQcow2Header header;
  LmDigest parent = { { 0 } };
  guint64 size;
  g_autoptr (GError) failure = NULL;
  if (!lm_qcow2_read (path, &header, &size, &failure))
    {
      /* Its contents match the digest but are not a layer; lm_chain_check() reports that. */
      if (failure->domain == LM_IMAGE_ERROR)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  gboolean has_parent = header.backing_name[0] != '\0';
  if (has_parent && !lm_digest_from_file_name (header.backing_name, ".qcow2", &parent))
    return TRUE;
  blob->size = size;
  blob->has_parent = has_parent;
  if (has_parent)
    blob->parent = parent;
  return TRUE;
}

gboolean
lm_cache_view_lookup (gpointer user_data, LmBlob *blob, gboolean *out_cached, char **out_path, GError **error)
{
  const LmCacheView *view = user_data;
  LmCacheState state;
  g_autofree char *path = lm_cache_get_path (view->cache, blob->kind, &blob->digest);
  g_autoptr (GError) failure = NULL;
  if (!lm_cache_check (view->cache, blob, &state, view->cancellable, error))
    return FALSE;
  *out_cached = state == LM_CACHE_PRESENT;
  if (*out_cached && !read_file_properties (path, blob, &failure))
    {
      /* It may have been removed in the meantime. */
      *out_cached = FALSE;
      if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
    }
  *out_path = g_steal_pointer (&path);
  return TRUE;
}
