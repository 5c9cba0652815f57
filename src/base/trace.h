/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* LAMINA_TRACE=TOPIC[,TOPIC...]|all prints what happens to stderr, with the time
 * since the start in milliseconds. For people who debug; programs must not depend
 * on it. */
#include <glib.h>

typedef enum
{
  LM_TRACE_RUN = 1 << 0,     /* external commands, quoted for the shell */
  LM_TRACE_HTTP = 1 << 1,    /* transfers */
  LM_TRACE_CACHE = 1 << 2,   /* locks, publication */
  LM_TRACE_RESOLVE = 1 << 3, /* dependency solving, which builds were considered */
  LM_TRACE_VIRT = 1 << 4,    /* libvirt calls */
} LmTraceTopic;

/** lm_trace_init: reads LAMINA_TRACE and enables the topics in @extra as well (-v
 * enables LM_TRACE_RUN). Must be called once, from main(), before any thread is
 * created. */
void lm_trace_init (guint extra);

/** lm_trace_enabled: whether @topic is enabled. */
gboolean lm_trace_enabled (LmTraceTopic topic);

/** lm_trace: prints one line if @topic is enabled. */
void lm_trace (LmTraceTopic topic, const char *format, ...) G_GNUC_PRINTF (2, 3);
