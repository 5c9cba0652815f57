/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The URLs of one file, how each has done so far, and which to use next. Pure:
 * it moves nothing and asks no clock. Private to the fetch stage. */
#include "io/retry.h"

typedef struct _LmFetchSources LmFetchSources;

/** lm_fetch_sources_new: @urls in order of preference (NULL: none); they
 * outlive it. @policy outlives it. */
LmFetchSources *lm_fetch_sources_new (char **urls, const LmRetryPolicy *policy);
void lm_fetch_sources_free (LmFetchSources *sources);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmFetchSources, lm_fetch_sources_free)

/** lm_fetch_sources_choose: makes the one that is due first the current one.
 * FALSE: all have been given up. *out_due is when it may be used (us). */
gboolean lm_fetch_sources_choose (LmFetchSources *sources, gint64 *out_due);

/** lm_fetch_sources_get_url: the current one; NULL before the first choice. */
const char *lm_fetch_sources_get_url (LmFetchSources *sources);

/** lm_fetch_sources_get_shown: the same for messages, redacted. */
const char *lm_fetch_sources_get_shown (LmFetchSources *sources);

/** lm_fetch_sources_failed: the current one failed with @error at @now (us):
 * it is due again after a delay (none with @at_once), or given up. */
void lm_fetch_sources_failed (LmFetchSources *sources, const GError *error, gint64 now, gboolean at_once, guint32 random);

/** lm_fetch_sources_progressed: the current one gave so many bytes that its
 * earlier failures are forgotten. */
void lm_fetch_sources_progressed (LmFetchSources *sources);

/** lm_fetch_sources_mismatched: the current one ended in a wrong digest. That
 * is final, unless the bytes were @mixed, from more than one answer: then it
 * gets one more chance. */
void lm_fetch_sources_mismatched (LmFetchSources *sources, gboolean mixed);
