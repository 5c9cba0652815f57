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
 * an LmCacheView. Where a file is not what the catalog claims it is hashed, which
 * blocks, so that a catalog is called wrong only if the file is what its name
 * says. One that is not, or cannot be read, is left to be found when it is used. */
gboolean lm_cache_view_lookup (gpointer user_data, LmBlob *blob, char **out_path);
