/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Damaged files of the cache. */
#include "ops/host.h"

/** lm_damage_set_aside: does lm_quarantine_move(), and warns of each older file that
 * is deleted for this one. *out_path is NULL if the file is not there any more, or must
 * be checked again. Errors: as for lm_quarantine_move(). */
gboolean lm_damage_set_aside (const LmHost *host, LmCache *cache, const LmBlob *blob, char **out_path,
                              GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
