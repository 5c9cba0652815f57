/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/cache-view.h"
#include "base/fd.h"
#include "image/qcow2.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_SIZE (1024 * 1024)

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

static gboolean
has_digest (const char *path, const LmDigest *digest, GCancellable *cancellable)
{
  lm_autofd int fd = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  g_autofree guint8 *chunk = g_malloc (CHUNK_SIZE);
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  ssize_t n = fd < 0 ? -1 : 1;
  while (n > 0)
    {
      n = g_cancellable_is_cancelled (cancellable) ? -1 : read (fd, chunk, CHUNK_SIZE);
      if (n > 0)
        lm_hasher_update (hasher, chunk, (gsize) n);
    }
  LmDigest found;
  lm_hasher_peek (hasher, &found);
  return n == 0 && lm_digest_equal (&found, digest);
}

gboolean
lm_cache_view_lookup (gpointer user_data, LmBlob *blob, char **out_path)
{
  const LmCacheView *view = user_data;
  if (!lm_cache_lookup (view->cache, blob->kind, &blob->digest, out_path))
    return FALSE;
  LmBlob file = *blob;
  if (!read_facts (*out_path, &file))
    return TRUE;
  gboolean claimed = file.size == blob->size && file.has_parent == blob->has_parent
                     && (!file.has_parent || lm_digest_equal (&file.parent, &blob->parent));
  if (!claimed && has_digest (*out_path, &blob->digest, view->cancellable))
    *blob = file;
  return TRUE;
}
