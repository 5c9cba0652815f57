/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/layer-file.h"
#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>

static gboolean
hash_block (gpointer data, const void *block, gsize size, GError **error)
{
  lm_hasher_update (data, block, size);
  return TRUE;
}

gboolean
lm_layer_file_hash (const char *path, LmHasher *hasher, GCancellable *cancellable, GError **error)
{
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0)
    return lm_throw_errno (error, "cannot open %s", path);
  return lm_fd_read_blocks (fd, hash_block, hasher, cancellable, error);
}

LmBuild *
lm_layer_file_describe (LmPartial *partial, const char *name, const LmDigest *parent, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  LmBlob blob = { .kind = LM_BLOB_LAYER, .name = (char *) name, .has_parent = parent != NULL };
  if (parent != NULL)
    blob.parent = *parent;
  if (!lm_layer_file_hash (lm_partial_get_path (partial), hasher, cancellable, error))
    return NULL;
  lm_hasher_peek (hasher, &blob.digest);
  blob.size = lm_partial_get_size (partial);
  return lm_build_new (&blob);
}
