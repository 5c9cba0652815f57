/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A file of the cache while its bytes arrive:
 *
 *   partial/sha256-<hex>.part   the bytes from the start, without holes
 *   partial/lock                a table of locks, one for each file that is written
 *
 * A .part survives its writer; whoever has the lock next goes on with it. Its
 * size is the progress that other processes see. */
#include "cache/cache.h"

typedef struct _LmPartial LmPartial;

/** lm_partial_open: takes the lock, without waiting, and opens the .part or
 * makes an empty one. Errors: LM_CACHE_ERROR_BUSY, G_IO_ERROR. */
LmPartial *lm_partial_open (LmCache *cache, const LmDigest *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_close: lets go of it; the bytes stay for a later resume. */
void lm_partial_close (LmPartial *partial);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPartial, lm_partial_close)

/** lm_partial_discard: removes the bytes, then lm_partial_close(). */
void lm_partial_discard (LmPartial *partial);

/** lm_partial_get_fd: the .part, open for reading and writing. */
int lm_partial_get_fd (LmPartial *partial);

/** lm_partial_get_path: the .part's absolute path. */
const char *lm_partial_get_path (LmPartial *partial);

/** lm_partial_get_size: bytes that are there now. */
guint64 lm_partial_get_size (LmPartial *partial);

/** lm_partial_reserve: takes @size bytes of the file system for it, in all, so
 * that the disk cannot become full half-way; where the file system cannot
 * reserve, checks the free space. Errors: LM_CACHE_ERROR_NO_SPACE, G_IO_ERROR. */
gboolean lm_partial_reserve (LmPartial *partial, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_append: writes after the bytes that are there and has the kernel
 * start to write them back, so that a later sync is short. Errors:
 * LM_CACHE_ERROR_NO_SPACE, G_IO_ERROR. */
gboolean lm_partial_append (LmPartial *partial, const void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_truncate: back to no bytes; what was reserved
 * stays reserved if possible. Errors: G_IO_ERROR. */
gboolean lm_partial_truncate (LmPartial *partial, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_sync: mode 0444 and fsync; blocks on the disk. Errors:
 * LM_CACHE_ERROR_NO_SPACE, G_IO_ERROR. */
gboolean lm_partial_sync (LmPartial *partial, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_publish: gives the synced file its final name and makes that
 * durable. The same file there already is success; a damaged one is replaced. The
 * caller has checked the digest. Waits for a deletion to end. Errors:
 * LM_CACHE_ERROR_CONFLICT, LM_LOCK_ERROR_TIMED_OUT, G_IO_ERROR. */
gboolean lm_partial_publish (LmPartial *partial, LmBlobKind kind, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_stat: of a .part that perhaps another process is writing: its
 * size and the bytes of disk that it holds; zeros if there is none. */
void lm_partial_stat (LmCache *cache, const LmDigest *digest, guint64 *out_size, guint64 *out_held);
