/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the cache has, as the planner asks it. */
#include "cache/cache.h"
#include "plan/plan.h"

typedef struct
{
  LmCache *cache;
  GCancellable *cancellable; /* may be NULL */
} LmCacheView;

/** lm_cache_view_lookup: the lookup function of an LmPlanView whose user_data is
 * an LmCacheView. A file that is there has the bytes of its digest
 * (lm_cache_check(), which may block), so its size and parent count, not what a
 * catalog claims; one that is damaged is not there. Errors: those of
 * lm_cache_check(), G_IO_ERROR if its header cannot be read. */
gboolean lm_cache_view_lookup (gpointer user_data, LmBlob *blob, gboolean *out_cached, char **out_path,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
