/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/mirror.h"
#include "base/trace.h"
#include "base/url.h"

#define MAX_MISMATCHES 2

typedef struct
{
  const char *url;
  char *shown;
  guint failures;
  guint mismatches;
  gboolean dead;
  gint64 due; /* in microseconds; 0 if not used yet */
} Mirror;

struct _LmMirrors
{
  const LmRetryPolicy *policy;
  guint count;
  Mirror *current; /* NULL before the first choice */
  Mirror list[];
};

LmMirrors *
lm_mirrors_new (char **urls, const LmRetryPolicy *policy)
{
  guint count = urls ? g_strv_length (urls) : 0;
  LmMirrors *mirrors = g_malloc0 (sizeof (LmMirrors) + count * sizeof (Mirror));
  mirrors->policy = policy;
  mirrors->count = count;
  for (guint i = 0; i < count; i++)
    {
      mirrors->list[i].url = urls[i];
      mirrors->list[i].shown = lm_url_redact (urls[i]);
    }
  return mirrors;
}

void
lm_mirrors_free (LmMirrors *mirrors)
{
  for (guint i = 0; i < mirrors->count; i++)
    g_free (mirrors->list[i].shown);
  g_free (mirrors);
}

gboolean
lm_mirrors_choose (LmMirrors *mirrors, gint64 *out_due)
{
  Mirror *best = NULL;
  for (Mirror *one = mirrors->list; one < mirrors->list + mirrors->count; one++)
    if (!one->dead && (best == NULL || one->due < best->due))
      best = one;
  if (best == NULL)
    return FALSE;
  mirrors->current = best;
  *out_due = best->due;
  return TRUE;
}

const char *
lm_mirrors_get_url (LmMirrors *mirrors)
{
  return mirrors->current ? mirrors->current->url : NULL;
}

const char *
lm_mirrors_get_shown (LmMirrors *mirrors)
{
  return mirrors->current ? mirrors->current->shown : NULL;
}

void
lm_mirrors_failed (LmMirrors *mirrors, const GError *error, gint64 now, gboolean at_once, guint32 random)
{
  Mirror *mirror = mirrors->current;
  mirror->failures++;
  if (!lm_retry_is_allowed (mirrors->policy, mirror->failures, error))
    {
      mirror->dead = TRUE;
      return;
    }
  guint delay = at_once ? 0 : lm_retry_delay (mirrors->policy, mirror->failures, error, random);
  mirror->due = now + (gint64) delay * 1000;
  lm_trace (LM_TRACE_HTTP, "%s may be tried again in %u ms", mirror->shown, delay);
}

void
lm_mirrors_postpone (LmMirrors *mirrors, gint64 due)
{
  mirrors->current->due = due;
}

void
lm_mirrors_progressed (LmMirrors *mirrors)
{
  mirrors->current->failures = 0;
}

void
lm_mirrors_mismatched (LmMirrors *mirrors, gboolean mixed)
{
  Mirror *mirror = mirrors->current;
  mirror->mismatches++;
  mirror->dead = !mixed || mirror->mismatches >= MAX_MISMATCHES;
}
