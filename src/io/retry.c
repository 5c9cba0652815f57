/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/retry.h"
#include "io/http.h"

#define ATTEMPTS 5
#define FIRST_MS 500
#define MOST_MS 15000
#define MOST_SERVER_MS 60000
/* So long a cancellation may go unnoticed. */
#define POLL_US (50 * 1000)

static guint
value_or_default (guint value, guint otherwise)
{
  return value ? value : otherwise;
}

/* Whether the same request may succeed later. */
static gboolean
is_transient (const GError *error)
{
  return g_error_matches (error, LM_HTTP_ERROR, LM_HTTP_ERROR_TRANSIENT)
         || g_error_matches (error, LM_HTTP_ERROR, LM_HTTP_ERROR_BUSY)
         || g_error_matches (error, LM_HTTP_ERROR, LM_HTTP_ERROR_STALLED)
         || g_error_matches (error, LM_HTTP_ERROR, LM_HTTP_ERROR_SHORT)
         || g_error_matches (error, LM_HTTP_ERROR, LM_HTTP_ERROR_RANGE);
}

gboolean
lm_retry_is_allowed (const LmRetryPolicy *policy, guint failures, const GError *error)
{
  return is_transient (error) && failures < value_or_default (policy ? policy->attempts : 0, ATTEMPTS);
}

guint
lm_retry_delay (const LmRetryPolicy *policy, guint failures, const GError *error, guint32 random)
{
  guint64 step = value_or_default (policy ? policy->first_ms : 0, FIRST_MS);
  guint64 most = value_or_default (policy ? policy->most_ms : 0, MOST_MS);
  for (guint i = 1; i < failures && step < most; i++)
    step *= 2;
  step = MIN (step, most);
  guint64 delay = step / 2 + random % (step / 2 + 1);
  guint64 asked = (guint64) lm_http_error_get_retry_after (error) * 1000;
  guint64 most_asked = value_or_default (policy ? policy->most_server_ms : 0, MOST_SERVER_MS);
  return (guint) MAX (delay, MIN (asked, most_asked));
}

gboolean
lm_retry_wait (guint delay_ms, GCancellable *cancellable, GError **error)
{
  const gint64 due = g_get_monotonic_time () + (gint64) delay_ms * 1000;
  while (!g_cancellable_set_error_if_cancelled (cancellable, error))
    {
      const gint64 left = due - g_get_monotonic_time ();
      if (left <= 0)
        return TRUE;
      g_usleep ((gulong) MIN (left, POLL_US));
    }
  return FALSE;
}
