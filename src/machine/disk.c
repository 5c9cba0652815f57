/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/disk.h"
#include "base/error.h"
#include "image/overlay.h"
#include "image/qcow2.h"
#include "machine/chain.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean
lm_disk_supply (LmCache *cache, LmMachine *machine, GCancellable *cancellable, GError **error)
{
  struct stat st;
  if (lstat (machine->overlay, &st) == 0)
    return lm_chain_check (cache, machine->layers, NULL, cancellable, error)
           && (S_ISREG (st.st_mode)
               || lm_throw (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "its disk %s is not a regular file",
                            machine->overlay));
  if (errno != ENOENT)
    return lm_throw_errno (error, "cannot stat %s", machine->overlay);
  guint64 size = machine->disk;
  return lm_chain_make_overlay (cache, machine->layers, machine->overlay, size, &machine->disk, cancellable, error);
}

gboolean
lm_disk_discard (const LmMachine *machine, GError **error)
{
  g_return_val_if_fail (machine->ephemeral, FALSE);
  g_autoptr (GError) failure = NULL;
  LmQcow2Header header;
  if (!lm_qcow2_read (machine->overlay, &header, NULL, &failure))
    {
      if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  gboolean pristine;
  if (!lm_overlay_is_pristine (machine->overlay, &pristine, error))
    return FALSE;
  if (header.nb_snapshots > 0 || pristine)
    return TRUE;
  return unlink (machine->overlay) == 0 || errno == ENOENT
         || lm_throw_errno (error, "cannot remove %s", machine->overlay);
}
