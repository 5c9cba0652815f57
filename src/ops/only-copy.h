/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Files that this host made, so that the cache may have the only copy: the local catalog lists
 * them (source/local.h). That another catalog has a URL for one does not count: whether the URL
 * still leads to the file shows only when it is too late. */
#include "ops/host.h"

/** lm_only_copy_list: returns their digests (LmDigest), a set. Does not use the network. Errors:
 * those of lm_local_load(). */
GHashTable *lm_only_copy_list (const LmHost *host, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_only_copy_has: whether the file with @digest is one of them, for a message: FALSE also if
 * that cannot be determined. */
gboolean lm_only_copy_has (const LmHost *host, const LmDigest *digest);
