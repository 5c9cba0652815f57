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
  gint64 due; /* us; 0: not used yet */
} Source;

struct _LmMirrors
{
  const LmRetryPolicy *policy;
  guint count;
  Source *current; /* NULL before the first choice */
  Source list[];
};

LmMirrors *
lm_mirrors_new (char **urls, const LmRetryPolicy *policy)
{
  guint count = urls ? g_strv_length (urls) : 0;
  LmMirrors *sources = g_malloc0 (sizeof (LmMirrors) + count * sizeof (Source));
  sources->policy = policy;
  sources->count = count;
  for (guint i = 0; i < count; i++)
    {
      sources->list[i].url = urls[i];
      sources->list[i].shown = lm_url_redact (urls[i]);
    }
  return sources;
}

void
lm_mirrors_free (LmMirrors *sources)
{
  for (guint i = 0; i < sources->count; i++)
    g_free (sources->list[i].shown);
  g_free (sources);
}

gboolean
lm_mirrors_choose (LmMirrors *sources, gint64 *out_due)
{
  Source *best = NULL;
  for (Source *one = sources->list; one < sources->list + sources->count; one++)
    if (!one->dead && (best == NULL || one->due < best->due))
      best = one;
  if (best == NULL)
    return FALSE;
  sources->current = best;
  *out_due = best->due;
  return TRUE;
}

const char *
lm_mirrors_get_url (LmMirrors *sources)
{
  return sources->current ? sources->current->url : NULL;
}

const char *
lm_mirrors_get_shown (LmMirrors *sources)
{
  return sources->current ? sources->current->shown : NULL;
}

void
lm_mirrors_failed (LmMirrors *sources, const GError *error, gint64 now, gboolean at_once, guint32 random)
{
  Source *source = sources->current;
  source->failures++;
  if (!lm_retry_may (sources->policy, source->failures, error))
    {
      source->dead = TRUE;
      return;
    }
  guint delay = at_once ? 0 : lm_retry_delay (sources->policy, source->failures, error, random);
  source->due = now + (gint64) delay * 1000;
  lm_trace (LM_TRACE_HTTP, "%s may be tried again in %u ms", source->shown, delay);
}

void
lm_mirrors_postpone (LmMirrors *sources, gint64 due)
{
  sources->current->due = due;
}

void
lm_mirrors_progressed (LmMirrors *sources)
{
  sources->current->failures = 0;
}

void
lm_mirrors_mismatched (LmMirrors *sources, gboolean mixed)
{
  Source *source = sources->current;
  source->mismatches++;
  source->dead = !mixed || source->mismatches >= MAX_MISMATCHES;
}
