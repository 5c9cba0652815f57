/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/cancel.h"

typedef struct
{
  GCancellable *cancellable;
  guint ms;
} Cancellation;

static gpointer
wait_and_cancel (gpointer data)
{
  g_autofree Cancellation *cancellation = data;
  g_usleep (cancellation->ms * 1000);
  g_cancellable_cancel (cancellation->cancellable);
  return NULL;
}

GThread *
cancel_after (GCancellable *cancellable, guint ms)
{
  Cancellation *cancellation = g_new (Cancellation, 1);
  *cancellation = (Cancellation){ cancellable, ms };
  return g_thread_new ("cancel", wait_and_cancel, cancellation);
}
