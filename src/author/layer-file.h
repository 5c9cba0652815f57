/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The file of a layer that was made or is about to be made. */
#include "cache/cache.h"
#include "cache/partial.h"
#include "catalog/layer.h"

/** lm_layer_file_describe: returns a build whose blob is the finished file of @partial, called @name, with the
 * parent @parent (NULL for a base); nothing else is set. Blocks. Errors: G_IO_ERROR. */
LmBuild *lm_layer_file_describe (LmPartial *partial, const char *name, const LmDigest *parent, GCancellable *cancellable,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_layer_file_lease: takes a lease for @blob, adds it to @leases (LmLock), and finds out whether the file is in the
 * cache. Errors: those of lm_cache_lease() and lm_cache_check(). */
gboolean lm_layer_file_lease (LmCache *cache, const LmBlob *blob, GPtrArray *leases, gboolean *out_cached, GCancellable *cancellable,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
