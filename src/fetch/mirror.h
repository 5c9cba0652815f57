/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The URLs of one file, the state of each, and which to use next. Pure: it
 * transfers nothing and does not read the clock. Private to fetch. Times are in
 * microseconds. */
#include "io/retry.h"

typedef struct _LmMirrors LmMirrors;

/** lm_mirrors_new: returns the mirrors @urls, in order of preference (NULL if
 * none); never NULL. @urls and @policy must outlive them. */
LmMirrors *lm_mirrors_new (char **urls, const LmRetryPolicy *policy);
/** lm_mirrors_free: frees @mirrors; NULL is ignored. */
void lm_mirrors_free (LmMirrors *mirrors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmMirrors, lm_mirrors_free)

/** lm_mirrors_choose: makes the mirror that is due first the current one and sets
 * *out_due to when it may be used. FALSE if all mirrors have been given up. */
gboolean lm_mirrors_choose (LmMirrors *mirrors, gint64 *out_due);

/** lm_mirrors_get_url: returns the URL of the current mirror; NULL before the first choice. */
const char *lm_mirrors_get_url (LmMirrors *mirrors);

/** lm_mirrors_get_shown: like lm_mirrors_get_url(), redacted for messages. */
const char *lm_mirrors_get_shown (LmMirrors *mirrors);

/** lm_mirrors_failed: records that the current mirror failed with @error at @now:
 * it is due again after a delay (without delay if @at_once is set), or is given up. */
void lm_mirrors_failed (LmMirrors *mirrors, const GError *error, gint64 now, gboolean at_once, guint32 random);

/** lm_mirrors_postpone: defers the current mirror until @due, without counting a
 * failure. */
void lm_mirrors_postpone (LmMirrors *mirrors, gint64 due);

/** lm_mirrors_progressed: records that the current mirror has sent so many bytes
 * that its earlier failures no longer count. */
void lm_mirrors_progressed (LmMirrors *mirrors);

/** lm_mirrors_mismatched: records that the data from the current mirror had a wrong
 * digest, so it is given up. If the data was @mixed from more than one response, it
 * gets one more attempt. */
void lm_mirrors_mismatched (LmMirrors *mirrors, gboolean mixed);
