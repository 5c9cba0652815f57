/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Answers the planner's question what is cached. */
#include "cache/cache.h"
#include "plan/plan.h"

typedef struct
{
  LmCache *cache;
  GCancellable *cancellable; /* may be NULL */
} LmCacheView;

/** lm_cache_view_lookup: the lookup function of an LmPlanView whose user_data is an
 * LmCacheView. A cached file has the contents of its digest (lm_cache_check(),
 * which may block), so its own size and parent are used and not what a catalog
 * claims. A damaged file counts as missing. Errors: those of lm_cache_check(), and
 * G_IO_ERROR if its header cannot be read. */
gboolean lm_cache_view_lookup (gpointer user_data, LmBlob *blob, gboolean *out_cached, char **out_path,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
