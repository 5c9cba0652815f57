/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/pace.h"

#define STEP_MIN (64 * 1024)
#define STEP_MAX (1024 * 1024)
/* A read is to take a tenth of a second of the rate. */
#define STEPS_PER_SECOND 10
#define ALIGNMENT 4096
/* By how much reads may be behind before the rest is forgiven. */
#define CREDIT_US (G_USEC_PER_SEC / 10)

struct _LmPace
{
  guint64 rate;
  double due;   /* time at which what was read is paid for, in microseconds; 0 before the first read */
  gsize done;   /* atomic */
};

LmPace *
lm_pace_new (guint64 rate)
{
  LmPace *pace = g_new0 (LmPace, 1);
  pace->rate = rate;
  return pace;
}

void
lm_pace_free (LmPace *pace)
{
  g_free (pace);
}

gsize
lm_pace_get_step (const LmPace *pace)
{
  if (pace->rate == 0)
    return STEP_MAX;
  return (gsize) CLAMP (pace->rate / STEPS_PER_SECOND, STEP_MIN, STEP_MAX) / ALIGNMENT * ALIGNMENT;
}

gint64
lm_pace_take (LmPace *pace, gsize bytes, gint64 now)
{
  g_atomic_pointer_add (&pace->done, (gssize) bytes);
  if (pace->rate == 0)
    return 0;
  pace->due = MAX (pace->due, (double) (now - CREDIT_US)) + (double) bytes * G_USEC_PER_SEC / (double) pace->rate;
  return pace->due > (double) now ? (gint64) (pace->due - (double) now) : 0;
}

void
lm_pace_begin (LmPace *pace)
{
  g_atomic_pointer_set (&pace->done, 0);
}

guint64
lm_pace_get_done (LmPace *pace)
{
  return (gsize) g_atomic_pointer_get (&pace->done);
}
