/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* How fast files are read: a number of bytes per second. Nothing here waits. Reads that
 * were late, because the disk was slow, are not made up for by a burst. What has been
 * read can be watched by other threads. */
#include <glib.h>

typedef struct _LmPace LmPace;

/** lm_pace_new: returns a pace of @rate bytes per second; 0 means no limit. Never NULL. */
LmPace *lm_pace_new (guint64 rate);
/** lm_pace_free: frees @pace; NULL is ignored. */
void lm_pace_free (LmPace *pace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPace, lm_pace_free)

/** lm_pace_get_step: returns how many bytes to read at a time, a multiple of 4096: few
 * if the rate is low, so that reading is steady. */
gsize lm_pace_get_step (const LmPace *pace);

/** lm_pace_take: notes that @bytes were read at @now (microseconds, of a clock that never
 * goes back), and returns how many microseconds to wait before reading on. */
gint64 lm_pace_take (LmPace *pace, gsize bytes, gint64 now);

/** lm_pace_begin: notes that a file is read from its beginning. */
void lm_pace_begin (LmPace *pace);

/** lm_pace_get_done: returns how many bytes of the file have been read since
 * lm_pace_begin(). Can be called by any thread. */
guint64 lm_pace_get_done (LmPace *pace);
