/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Whether and when to try a transfer again: pure functions of the error and of
 * how often it was tried. Nothing here waits. */
#include <glib.h>

/* All zero means the defaults. */
typedef struct
{
  guint attempts;       /* tries in all before giving up; default 5 */
  guint first_ms;       /* wait after the first failure, doubled each time; default 500 */
  guint most_ms;        /* cap on that; default 15,000 */
  guint most_server_ms; /* cap on what Retry-After may ask for; default 60,000 */
} LmRetryPolicy;

/** lm_retry_may: whether to try again after @failures (>= 1) failures in a
 * row, the last being @error: the same request may succeed later, and was not
 * made too often. @policy and @error may be NULL. */
gboolean lm_retry_may (const LmRetryPolicy *policy, guint failures, const GError *error);

/** lm_retry_delay: milliseconds to wait before the next try: exponential, from
 * half to the whole of the step by @random (any value; so that hosts do not
 * knock all at once), or what the server asked for if that is longer, within
 * its cap. */
guint lm_retry_delay (const LmRetryPolicy *policy, guint failures, const GError *error, guint32 random);
