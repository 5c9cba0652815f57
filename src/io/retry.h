/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Whether and when to repeat a failed transfer: functions of the error and the number of
 * failures. */
#include <gio/gio.h>

/* A value of zero means the default. */
typedef struct
{
  guint attempts;       /* total number of attempts; default 5 */
  guint first_ms;       /* delay after the first failure, doubled each time; default 500 */
  guint most_ms;        /* maximum of that delay; default 15,000 */
  guint most_server_ms; /* maximum delay that Retry-After can request; default 60,000 */
} LmRetryPolicy;

/** lm_retry_is_allowed: whether to try again after @failures (>= 1) consecutive
 * failures, the last of which was @error: the same request may succeed later, and
 * the number of attempts is not exhausted. @policy and @error may be NULL. */
gboolean lm_retry_is_allowed (const LmRetryPolicy *policy, guint failures, const GError *error);

/** lm_retry_delay: returns how many milliseconds to wait before the next attempt:
 * an exponential delay, of which @random (any value) selects between half and the
 * whole so that hosts do not all retry at the same time; or the delay that the
 * server requested, up to its maximum, if that is longer. */
guint lm_retry_delay (const LmRetryPolicy *policy, guint failures, const GError *error, guint32 random);

/** lm_retry_wait: waits @delay_ms milliseconds. FALSE, with G_IO_ERROR_CANCELLED, if
 * @cancellable is cancelled meanwhile. */
gboolean lm_retry_wait (guint delay_ms, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
