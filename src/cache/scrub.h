/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Scrubbing: finds out whether a cached file is what it should be, by reading it from
 * the disk, whatever was noted about it before; and what is wrong with its owner, mode
 * and flag, which is repaired here. Damaged contents are not (upkeep/repair.h). */
#include "cache/cache.h"
#include "cache/pace.h"

typedef enum
{
  LM_SCRUB_OWNER = 1 << 0, /* another user owns it, who could change it */
  LM_SCRUB_MODE = 1 << 1,  /* its mode is not 0444 */
  LM_SCRUB_FLAG = 1 << 2,  /* it does not have the immutable flag, which this user should set */
} LmScrubFlaws;

typedef struct
{
  LmCacheState state;
  gboolean unreadable; /* damaged, because the disk reports an error */
  LmScrubFlaws flaws;  /* that it had */
  LmScrubFlaws left;   /* those of them that it still has */
} LmScrubResult;

/** lm_scrub_find_flaws: returns what is wrong with the properties of the file of @entry;
 * nothing if it was removed meanwhile. Does not read it. */
LmScrubFlaws lm_scrub_find_flaws (LmCache *cache, const LmCacheEntry *entry);

/** lm_scrub_file: reads the file of @entry at @pace and compares its digest. What
 * was noted about it is corrected, so that later runs do not trust a damaged file. If
 * @repair, first corrects what is wrong with its properties. @cache must not be
 * read-only; it can be used by another thread meanwhile. Blocks. Errors: G_IO_ERROR (_BUSY if the file keeps
 * changing, _CANCELLED). */
gboolean lm_scrub_file (LmCache *cache, const LmCacheEntry *entry, LmPace *pace, gboolean repair, LmScrubResult *out_result,
                        GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_scrub_remove_notes: removes the notes of files that do not exist any more, which
 * killed runs left. Needs no lock, because a note that is missing is only written
 * again. Errors: G_IO_ERROR. */
gboolean lm_scrub_remove_notes (LmCache *cache, GError **error) G_GNUC_WARN_UNUSED_RESULT;
