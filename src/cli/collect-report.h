/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Removing unneeded files from the cache, for "cache gc" and "cache clear": does it, or
 * only says what would be done, and prints a table or JSON. */
#include "cli/verb.h"
#include "ops/collect.h"

/** lm_collect_report_run: collects until @limits hold, or with the option "dry-run" prints
 * what would be removed and why the rest stays. If @clear, also prints what stays
 * and why, and that something is needed is not an error. Errors: those
 * of lm_collect_run() and, unless @clear, lm_collect_throw(); with @clear only its
 * LM_COLLECT_ERROR_UNKNOWN. */
gboolean lm_collect_report_run (const LmInvocation *invocation, const LmHost *host, const LmCollectLimits *limits,
                                gboolean clear, GError **error) G_GNUC_WARN_UNUSED_RESULT;
