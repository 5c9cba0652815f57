/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* LAMINA_TRACE=TOPIC[,TOPIC...]|all prints what happens, with milliseconds
 * since the start, on stderr. For people who debug; never for programs. */
#include <glib.h>

typedef enum
{
  LM_TRACE_RUN = 1 << 0,     /* external commands, ready to paste */
  LM_TRACE_HTTP = 1 << 1,    /* transfers */
  LM_TRACE_CACHE = 1 << 2,   /* locks, publication */
  LM_TRACE_RESOLVE = 1 << 3, /* solving, builds looked at */
  LM_TRACE_VIRT = 1 << 4,    /* libvirt calls */
} LmTraceTopic;

/** lm_trace_init: reads LAMINA_TRACE and adds @extra topics (-v adds
 * LM_TRACE_RUN). Called once, from main(), before any thread. */
void lm_trace_init (guint extra);

/** lm_trace_enabled: whether @topic is on. */
gboolean lm_trace_enabled (LmTraceTopic topic);

/** lm_trace: prints one line if @topic is on. */
void lm_trace (LmTraceTopic topic, const char *format, ...) G_GNUC_PRINTF (2, 3);
