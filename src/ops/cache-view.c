/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/cache-view.h"
#include "image/qcow2.h"

#include <sys/stat.h>

/* Sets size and parent of @blob, a copy of a claim, to those of the file. */
static gboolean
read_facts (const char *path, LmBlob *blob)
{
  if (blob->kind != LM_BLOB_LAYER)
    {
      struct stat st;
      if (lstat (path, &st) < 0)
        return FALSE;
      blob->size = (guint64) st.st_size;
      return TRUE;
    }
  LmQcow2Header header;
  if (!lm_qcow2_read (path, &header, &blob->size, NULL))
    return FALSE;
  blob->has_parent = header.backing_name[0] != '\0';
  return !blob->has_parent || lm_digest_from_file_name (header.backing_name, ".qcow2", &blob->parent);
}

gboolean
lm_cache_view_lookup (gpointer user_data, LmBlob *blob, char **out_path)
{
  const LmCacheView *view = user_data;
  LmCacheState state;
  *out_path = lm_cache_get_path (view->cache, blob->kind, &blob->digest);
  if (!lm_cache_check (view->cache, blob, &state, view->cancellable, NULL) || state != LM_CACHE_PRESENT)
    return FALSE;
  LmBlob file = *blob;
  if (read_facts (*out_path, &file))
    *blob = file;
  return TRUE;
}
