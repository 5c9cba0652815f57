/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A kernel or an initrd of the user becomes a file of the cache. */
#include "ops/host.h"

/** lm_boot_file_take: takes the file @path into @cache and returns it, called @name in messages
 * and without URLs. *out_lease protects it until the caller has listed it. Blocks. Errors:
 * LM_FETCH_ERROR, those of lm_room_make(), G_IO_ERROR. */
LmBlob *lm_boot_file_take (const LmHost *host, LmCache *cache, const char *path, const char *name, LmLock **out_lease,
                           GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
