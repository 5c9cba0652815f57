/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Files of which the cache has the only copy, as far as is known here: the local catalog
 * lists them (source/local.h), and no catalog source has a URL for them. */
#include "ops/host.h"

/** lm_only_copy_list: returns their digests (LmDigest), a set. What a source that cannot be
 * used now might have counts as not to be had. Does not use the network. Errors: those of
 * lm_local_load() and lm_source_load_all(). */
GHashTable *lm_only_copy_list (const LmHost *host, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
