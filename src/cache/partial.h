/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A file of the cache while it is being transferred:
 *
 *   partial/sha256-<hex>.part   the first bytes of the file, without gaps
 *   partial/lock                a lock table with one lock for each file being written,
 *                               and those of fetch/served.h
 *
 * A .part file outlives its writer; the next holder of the lock continues it. Its
 * size is the progress that other processes see. */
#include "cache/cache.h"

typedef struct _LmPartial LmPartial;

/** lm_partial_open: takes the lock without waiting, and opens the .part file or
 * creates an empty one. Errors: LM_CACHE_ERROR_BUSY, G_IO_ERROR. */
LmPartial *lm_partial_open (LmCache *cache, const LmDigest *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_close: releases the lock and frees @partial, which may be NULL. The .part file is kept
 * for a later resume, unless it is empty and nobody has claimed it. */
void lm_partial_close (LmPartial *partial);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPartial, lm_partial_close)

/** lm_partial_discard: deletes the .part file, then does lm_partial_close(). */
void lm_partial_discard (LmPartial *partial);

/** lm_partial_get_fd: returns the descriptor of the .part file, open for reading and writing. Owned by
 * @partial. */
int lm_partial_get_fd (LmPartial *partial);

/** lm_partial_get_path: returns the absolute path of the .part file. Owned by @partial. */
const char *lm_partial_get_path (LmPartial *partial);

/** lm_partial_get_size: returns the number of bytes received so far. */
guint64 lm_partial_get_size (LmPartial *partial);

/** lm_partial_reserve: allocates disk space for a file of @size bytes in total, so
 * that the disk cannot become full during the transfer; if the file system cannot
 * do that, checks the free space. Errors: LM_CACHE_ERROR_NO_SPACE, G_IO_ERROR. */
gboolean lm_partial_reserve (LmPartial *partial, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_claim: notes that this process is going to reserve the .part file of @digest, so
 * that another one that does not need it any more keeps it, until lm_partial_drop_empty(). May
 * wait for a process that is just deleting it, so the caller does not hold the lock of the
 * cache. Errors: LM_LOCK_ERROR, G_IO_ERROR. */
gboolean lm_partial_claim (LmCache *cache, const LmDigest *digest, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_hold: does lm_partial_reserve() for the .part file of @digest, which is created
 * if it is missing, and leaves it to a later transfer. If a process is writing it, does
 * nothing. Errors: those of lm_partial_reserve(), G_IO_ERROR. */
gboolean lm_partial_hold (LmCache *cache, const LmDigest *digest, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_drop_empty: gives up the claim, if this process has one, and deletes the .part
 * file of @digest if nothing was received, no process is writing it, and no other has claimed
 * it; failures are ignored. */
void lm_partial_drop_empty (LmCache *cache, const LmDigest *digest);

/** lm_partial_append: appends @size bytes and tells the kernel to start writing
 * them back, so that a later sync is short. Errors: LM_CACHE_ERROR_NO_SPACE,
 * G_IO_ERROR. */
gboolean lm_partial_append (LmPartial *partial, const void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_truncate: truncates the file to zero bytes and, if possible, keeps
 * the allocated disk space. Errors: G_IO_ERROR. */
gboolean lm_partial_truncate (LmPartial *partial, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_cut: keeps only the first @size bytes of those that are there. Errors:
 * G_IO_ERROR. */
gboolean lm_partial_cut (LmPartial *partial, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_sync: sets mode 0444 and fsyncs the file; blocks on the disk. Errors:
 * LM_CACHE_ERROR_NO_SPACE, G_IO_ERROR. */
gboolean lm_partial_sync (LmPartial *partial, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_set_aside: closes the descriptor of the synced file but keeps the
 * lock. Afterwards @partial can only be published, closed or discarded. */
void lm_partial_set_aside (LmPartial *partial);

/** lm_partial_rename: makes the file the .part file of @digest, which is thereby replaced; for
 * a file whose digest was not known when it was opened. The caller has computed it from what the
 * file contains now. Errors: LM_CACHE_ERROR_BUSY if another process is writing a file with that
 * digest, G_IO_ERROR. */
gboolean lm_partial_rename (LmPartial *partial, const LmDigest *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_publish: renames the synced file to its final name and makes that
 * durable. Succeeds if the same file exists already; moves a damaged one to the quarantine. The
 * caller has verified the digest of what was appended; if somebody else has changed
 * the file, it is read and verified again. Waits until a deletion has finished.
 * Errors: LM_CACHE_ERROR_CONFLICT (also if its contents no longer match),
 * LM_LOCK_ERROR_TIMED_OUT, G_IO_ERROR (also _CANCELLED). */
gboolean lm_partial_publish (LmPartial *partial, LmBlobKind kind, GCancellable *cancellable,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_stat: gets the size of a .part file, which another process may be
 * writing, and the disk space that it occupies, both in bytes; zeros if there is
 * none. */
void lm_partial_stat (LmCache *cache, const LmDigest *digest, guint64 *out_size, guint64 *out_held);

/* A .part file. */
typedef struct
{
  LmDigest digest;
  guint64 received;  /* bytes of the file that are there */
  guint64 allocated; /* bytes that it occupies on disk */
  gint64 mtime;      /* when it last grew, seconds since 1970 */
  gboolean busy;     /* a process is writing it */
  char *path;
} LmPartialEntry;

/** lm_partial_list: returns an LmPartialEntry for each .part file. Errors: G_IO_ERROR. */
GPtrArray *lm_partial_list (LmCache *cache, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_partial_remove: deletes the .part file of @digest; succeeds if it is missing.
 * Does not wait. Errors: LM_CACHE_ERROR_BUSY if a process is writing it, G_IO_ERROR. */
gboolean lm_partial_remove (LmCache *cache, const LmDigest *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
