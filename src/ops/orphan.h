/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Machines whose domain is gone: finds them, says which can be removed, removes them. */
#include "ops/host.h"
#include "users/layer-users.h"
#include "virt/connect.h"

typedef struct
{
  LmLayerUser *user; /* not owned */
  guint64 bytes;     /* what is in its directory, allocated on disk */
  char *refused;     /* why it cannot be removed; NULL if it can, or if that was not asked */
} LmOrphan;

/** lm_orphan_list: returns the machines in @users whose domain is gone (LmOrphan). With
 * @check, determines as lm_orphan_remove() does which can be removed, and changes
 * nothing. @virt is used if it is the connection of the machine, and may be NULL.
 * Blocks. Error: G_IO_ERROR_CANCELLED. */
GPtrArray *lm_orphan_list (const LmHost *host, LmVirt *virt, const LmLayerUsers *users, gboolean check,
                           GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_orphan_remove: removes the machine with its disk. *out_removed is FALSE if it is none
 * any more, because it was removed, replaced or defined again meanwhile. @virt as above.
 * The caller holds the lock of its name. Blocks. Errors: LM_USAGE_ERROR, LM_VIRT_ERROR,
 * LM_MACHINE_ERROR, G_IO_ERROR. */
gboolean lm_orphan_remove (const LmHost *host, LmVirt *virt, const LmOrphan *orphan, gboolean *out_removed,
                           GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
