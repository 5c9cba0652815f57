/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/trace.h"

#include <stdio.h>

static const GDebugKey keys[] = {
  { "run", LM_TRACE_RUN },
  { "http", LM_TRACE_HTTP },
  { "cache", LM_TRACE_CACHE },
  { "resolve", LM_TRACE_RESOLVE },
  { "virt", LM_TRACE_VIRT },
};

/* Written only by lm_trace_init(), before any thread exists. */
static guint topics;
static gint64 start;

void
lm_trace_init (guint extra)
{
  topics = extra | g_parse_debug_string (g_getenv ("LAMINA_TRACE"), keys, G_N_ELEMENTS (keys));
  start = g_get_monotonic_time ();
}

gboolean
lm_trace_enabled (LmTraceTopic topic)
{
  return (topics & topic) != 0;
}

void
lm_trace (LmTraceTopic topic, const char *format, ...)
{
  if (!lm_trace_enabled (topic))
    return;
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  fprintf (stderr, "lamina: %7.1f ms: %s\n", (double) (g_get_monotonic_time () - start) / 1000.0, text);
}
