/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/layer-file.h"
#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>

LmBuild *
lm_layer_file_describe (LmPartial *partial, const char *name, const LmDigest *parent, GCancellable *cancellable, GError **error)
{
  lm_autofd int fd = open (lm_partial_get_path (partial), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  LmBlob blob = { .kind = LM_BLOB_LAYER, .name = (char *) name, .has_parent = parent != NULL };
  if (parent != NULL)
    blob.parent = *parent;
  if (fd < 0)
    return lm_throw_errno_null (error, "cannot open %s", lm_partial_get_path (partial));
  if (!lm_digest_of_fd (fd, &blob.digest, cancellable, error))
    return NULL;
  blob.size = lm_partial_get_size (partial);
  return lm_build_new (&blob);
}

gboolean
lm_layer_file_lease (LmCache *cache, const LmBlob *blob, GPtrArray *leases, gboolean *out_cached, GCancellable *cancellable,
                     GError **error)
{
  g_autoptr (GPtrArray) one = g_ptr_array_new ();
  LmCacheState state;
  g_ptr_array_add (one, (gpointer) blob);
  LmLock *lease = lm_cache_lease (cache, one, cancellable, error);
  if (lease == NULL)
    return FALSE;
  g_ptr_array_add (leases, lease);
  if (!lm_cache_check (cache, blob, &state, cancellable, error))
    return FALSE;
  *out_cached = state == LM_CACHE_PRESENT;
  return TRUE;
}
