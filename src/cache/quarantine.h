/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Damaged files, which were moved out of the cache so that nothing uses them any more,
 * and are kept so that somebody can find out what happened:
 *
 *   quarantine/<name in the cache>.<time>   mode 0400, not immutable
 *
 * The last one is always kept; older ones are deleted when there are more than eight
 * of them, or more than 8 GiB altogether. */
#include "cache/cache.h"

#define LM_QUARANTINE_FILES 8
#define LM_QUARANTINE_BYTES (8 * G_GUINT64_CONSTANT (1073741824))

/** lm_quarantine_move: moves the file of @blob, which lm_cache_check() of this run
 * found damaged, out of @cache. *out_path (may be NULL) is where it is now, newly
 * allocated; NULL if it has changed since, or is gone, and must be checked again. The
 * paths (char *) of older ones that were deleted for this one are appended to
 * @deleted, which may be NULL. Waits until others have published or deleted a file.
 * Errors: LM_LOCK_ERROR, G_IO_ERROR. */
gboolean lm_quarantine_move (LmCache *cache, const LmBlob *blob, char **out_path, GPtrArray *deleted,
                             GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A file in the quarantine. */
typedef struct
{
  char *path;
  LmDigest digest; /* what its contents should have been */
  guint64 size;      /* in bytes */
  guint64 allocated; /* bytes that it occupies on disk */
} LmQuarantineEntry;

/** lm_quarantine_list: returns an LmQuarantineEntry for each file, the last one first.
 * @cache may be read-only. Errors: G_IO_ERROR. */
GPtrArray *lm_quarantine_list (LmCache *cache, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_quarantine_remove: deletes the file; succeeds if it is missing. Errors: G_IO_ERROR. */
gboolean lm_quarantine_remove (LmCache *cache, const LmQuarantineEntry *entry, GError **error) G_GNUC_WARN_UNUSED_RESULT;
