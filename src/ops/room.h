/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Room in the cache for what is going to be pulled: the limits of the host (max-size,
 * min-free) hold also if several processes pull at the same time, because each reserves
 * the disk space of all its files before it pulls the first one. A file system that
 * cannot reserve (fallocate) only gets the check. */
#include "ops/host.h"

/** lm_room_make: makes room for those of @blobs (LmBlob) that are not in @cache, so that
 * the limits of @host hold after they have been pulled, and reserves it, in their .part
 * files. The caller holds a lease for @blobs and for what they need, and after success calls
 * lm_room_release() when they have been pulled or that has failed. If there cannot be
 * enough, nothing is removed. Asks nobody if there is room anyway. Blocks. Errors: as
 * for lm_collect_run() and lm_collect_throw(); LM_CACHE_ERROR_NO_SPACE. */
gboolean lm_room_make (const LmHost *host, LmCache *cache, const GPtrArray *blobs, GCancellable *cancellable,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_room_release: gives back what was reserved for those of @blobs of which nothing was
 * received, unless another process has reserved it as well. */
void lm_room_release (LmCache *cache, const GPtrArray *blobs);
