/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Prepares a launch: makes a plan from selections, and pulls the missing files. */
#include "plan/plan.h"
#include "ops/host.h"

#include <json-glib/json-glib.h>

/* The result of a pull. */
typedef struct
{
  guint pulled; /* number of files, layers and others, that this run transferred */
  guint64 pulled_bytes;
  guint cached; /* number of files that were in the cache before */
  guint64 cached_bytes;
  guint other_process; /* number of files that another process transferred in the meantime */
} LmPrepareResult;

/** lm_prepare_catalogs: loads the catalogs, those that @host adds included. Warnings are reported to
 * @host. Uses the network only for extra catalogs that are URLs. */
LmCatalogSet *lm_prepare_catalogs (const LmHost *host, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_prepare_plan: loads the catalogs and makes a plan for @selections, given what
 * is cached. If there is no chain for them, but recipes of what is missing, it is first built,
 * if @host does that; otherwise the message says how to. Warnings are reported to @host. Uses the
 * network only for extra catalogs that are URLs, and to build. Errors: those of lm_plan_new() and
 * lm_source_load_all(), or of the build. */
LmPlan *lm_prepare_plan (const LmHost *host, const char *const *selections, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_prepare_outlook: likewise, but builds nothing: the plan says what is to be built. */
LmPlan *lm_prepare_outlook (const LmHost *host, const char *const *selections, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_prepare_plan_over: likewise, over the catalogs @set. */
LmPlan *lm_prepare_plan_over (const LmHost *host, const LmCatalogSet *set, const char *const *selections,
                              GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_prepare_pull: pulls what @plan requires and the cache does not have; if
 * nothing is missing, does not use the network. If @out_lease is not NULL, it is
 * set to the lease that prevents the deletion of the files. A damaged file goes to the
 * quarantine, unless no URL is known for it (LM_FETCH_ERROR_SOURCE). Blocks. Errors:
 * LM_FETCH_ERROR and others. */
gboolean lm_prepare_pull (const LmHost *host, const LmPlan *plan, LmPrepareResult *out_result, LmLock **out_lease,
                          GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_prepare_recorded: likewise for @blobs (LmBlob; layers base first) of a
 * record, by their digests. The catalogs are searched for other URLs only if those
 * of the blobs fail. The caller holds a lease for them in @cache. */
gboolean lm_prepare_recorded (const LmHost *host, LmCache *cache, const GPtrArray *blobs, LmPrepareResult *out_result,
                              GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_prepare_result_to_text: returns "pulled 2 files, 41.0 MiB; 1 file, 349.0 MiB
 * cached"; newly allocated. */
char *lm_prepare_result_to_text (const LmPrepareResult *result);
/** lm_prepare_result_to_json: adds the members "pulled", "cached" and
 * "other_process" to the open object. */
void lm_prepare_result_to_json (const LmPrepareResult *result, JsonBuilder *builder);
