/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* prepare: selections become a plan, and what the plan lacks is pulled. */
#include "plan/plan.h"
#include "ops/host.h"

#include <json-glib/json-glib.h>

/* What a pull did. */
typedef struct
{
  guint pulled; /* files, layers and blobs, that this run transferred */
  guint64 pulled_bytes;
  guint cached; /* files that were here before */
  guint64 cached_bytes;
  guint other_process; /* files that another process transferred meanwhile */
} LmPrepareResult;

/** lm_prepare_plan: loads the catalogs and plans @selections against the
 * cache. Warnings go to @host. The network is used only for extra catalogs
 * that are URLs. */
LmPlan *lm_prepare_plan (const LmHost *host, const char *const *selections, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_prepare_pull: pulls what @plan lacks; nothing lacking, it does not
 * touch the network. Blocks. Errors: LM_FETCH_ERROR and others. */
gboolean lm_prepare_pull (const LmHost *host, const LmPlan *plan, LmPrepareResult *out_result,
                          GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_prepare_recorded: pulls those of @blobs (LmBlob; the layers base first), as a
 * record keeps them, that are not cached, by their digests. The catalogs are asked for
 * other places only if theirs fail. Likewise otherwise. */
gboolean lm_prepare_recorded (const LmHost *host, const GPtrArray *blobs, LmPrepareResult *out_result,
                              GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_prepare_result_to_text: "pulled 2 files, 41.0 MiB; 1 file, 349.0 MiB
 * cached"; newly allocated. */
char *lm_prepare_result_to_text (const LmPrepareResult *result);
/** lm_prepare_result_to_json: members "pulled", "cached" and "other_process", into an object. */
void lm_prepare_result_to_json (const LmPrepareResult *result, JsonBuilder *builder);
