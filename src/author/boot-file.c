/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/boot-file.h"
#include "base/error.h"
#include "base/fd.h"
#include "fetch/intake.h"
#include "ops/room.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
write_block (gpointer data, const void *block, gsize size, GError **error)
{
  return lm_intake_write (data, block, size, error);
}

static gboolean
take_content (LmCache *cache, int fd, const LmBlob *blob, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmIntake) intake = NULL;
  if (!lm_intake_open (cache, blob, &intake, cancellable, error))
    return FALSE;
  if (intake == NULL)
    return TRUE;
  if (lseek (fd, 0, SEEK_SET) < 0)
    return lm_throw_errno (error, "cannot read it again");
  return lm_fd_read_blocks (fd, write_block, intake, cancellable, error) && lm_intake_finish (intake, error);
}

LmBlob *
lm_boot_file_take (const LmHost *host, LmCache *cache, const char *path, const char *name, LmLock **out_lease,
                   GCancellable *cancellable, GError **error)
{
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  g_autoptr (LmBlob) blob = g_new0 (LmBlob, 1);
  g_autoptr (GPtrArray) one = g_ptr_array_new ();
  struct stat st;
  if (fd < 0 || fstat (fd, &st) < 0)
    return lm_throw_errno_null (error, "cannot open %s", path);
  if (!S_ISREG (st.st_mode) || st.st_size == 0)
    return lm_throw_null (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "%s is not a regular file with content", path);
  if (!lm_digest_of_fd (fd, &blob->digest, cancellable, error))
    return NULL;
  blob->kind = LM_BLOB_FILE;
  blob->name = g_strdup (name);
  blob->size = (guint64) st.st_size;
  blob->urls = g_new0 (char *, 1);
  g_ptr_array_add (one, blob);
  g_autoptr (LmLock) lease = lm_cache_lease (cache, one, cancellable, error);
  if (lease == NULL || !lm_room_make (host, cache, one, cancellable, error))
    return NULL;
  gboolean taken = take_content (cache, fd, blob, cancellable, error);
  lm_room_release (cache, one);
  if (!taken)
    return NULL;
  *out_lease = g_steal_pointer (&lease);
  return g_steal_pointer (&blob);
}
