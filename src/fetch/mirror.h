/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The URLs of one file, how each has done so far, and which to use next. Pure:
 * it moves nothing and asks no clock. Private to fetch. */
#include "io/retry.h"

typedef struct _LmMirrors LmMirrors;

/** lm_mirrors_new: @urls in order of preference (NULL: none); they
 * outlive it. @policy outlives it. */
LmMirrors *lm_mirrors_new (char **urls, const LmRetryPolicy *policy);
void lm_mirrors_free (LmMirrors *mirrors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmMirrors, lm_mirrors_free)

/** lm_mirrors_choose: makes the one that is due first the current one.
 * FALSE: all have been given up. *out_due is when it may be used (us). */
gboolean lm_mirrors_choose (LmMirrors *mirrors, gint64 *out_due);

/** lm_mirrors_get_url: the current one; NULL before the first choice. */
const char *lm_mirrors_get_url (LmMirrors *mirrors);

/** lm_mirrors_get_shown: the same for messages, redacted. */
const char *lm_mirrors_get_shown (LmMirrors *mirrors);

/** lm_mirrors_failed: the current one failed with @error at @now (us):
 * it is due again after a delay (none with @at_once), or given up. */
void lm_mirrors_failed (LmMirrors *mirrors, const GError *error, gint64 now, gboolean at_once, guint32 random);

/** lm_mirrors_postpone: the current one did nothing wrong, but is not due before
 * @due (us). */
void lm_mirrors_postpone (LmMirrors *mirrors, gint64 due);

/** lm_mirrors_progressed: the current one gave so many bytes that its
 * earlier failures are forgotten. */
void lm_mirrors_progressed (LmMirrors *mirrors);

/** lm_mirrors_mismatched: the current one ended in a wrong digest. That
 * is final, unless the bytes were @mixed, from more than one answer: then it
 * gets one more chance. */
void lm_mirrors_mismatched (LmMirrors *mirrors, gboolean mixed);
