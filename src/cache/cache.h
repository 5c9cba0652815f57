/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The host's directory of verified, immutable files, addressed by digest:
 *
 *   layers/sha256-<hex>.qcow2   blobs/sha256-<hex>   mode 0444, never written again
 *   verified/sha256-<hex>*      state of each file when it was verified
 *   partial/                    files that are being transferred, see partial.h
 *   lock                        held briefly to publish (shared), and to list and
 *                               delete (exclusive)
 *   leases                      which files are needed now
 *   quarantine/                 damaged files, see quarantine.h
 *
 * This module owns names, publication, locks and the check of free space. It does
 * not know where bytes come from, or whether a layer is a valid image.
 *
 * A file with the right name does not necessarily have the right contents: it may
 * have been truncated or overwritten. Its size, inode number, modification time and
 * the time of the last change of the inode are compared with those at the time of its
 * verification; if they differ, its digest is computed again.
 *
 * Where the file system has the immutable flag, root sets it after the publication, and
 * lifts it only to delete or replace the file. The flag is not what makes the contents
 * trusted, so nothing is lost if a process is killed in between. */
#include "base/blob.h"
#include "base/identity.h"
#include "base/lock.h"
#include "base/state-dir.h"
#include "cache/findings.h"
#include <gio/gio.h>

typedef enum
{
  LM_CACHE_ERROR_NO_SPACE, /* the file system or a quota is full */
  LM_CACHE_ERROR_BUSY,     /* another process is writing this file or needs it */
  LM_CACHE_ERROR_CONFLICT, /* the final name exists but is not a regular file */
  LM_CACHE_ERROR_MOUNT,    /* the directories of the cache are on different mounts */
  LM_CACHE_ERROR_UNREADABLE, /* the disk reports an error */
  LM_CACHE_ERROR_DATABASE, /* lamina.db cannot be used now, see database.h */
} LmCacheError;

#define LM_CACHE_ERROR lm_cache_error_quark ()
GQuark lm_cache_error_quark (void);

typedef struct _LmCache LmCache;

typedef struct
{
  LmFindings *findings;  /* shared by every LmCache of the run; NULL if each has its own */
  gboolean without_flag; /* does not set the immutable flag of the files */
} LmCacheOptions;

/* One cached file. */
typedef struct
{
  LmBlobKind kind;
  LmDigest digest;
  guint64 size; /* in bytes */
  gint64 mtime; /* seconds since 1970 */
  guint64 allocated; /* bytes that it occupies on disk */
  LmIdentity identity;
  char *path;
} LmCacheEntry;

/** lm_cache_entry_free: frees @entry; NULL is ignored. */
void lm_cache_entry_free (LmCacheEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCacheEntry, lm_cache_entry_free)

/** lm_cache_open: opens the cache in the state directory @state_dir (see
 * lm_state_dir_open()) and creates its directories. Keeps a reference to the findings;
 * @options may be NULL. Errors: those of lm_state_dir_open(), and
 * LM_CACHE_ERROR_MOUNT. */
LmCache *lm_cache_open (const char *state_dir, const LmCacheOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_cache_open_readonly: opens the cache for lm_cache_check() and lm_cache_list()
 * only: nothing is created, and what is missing counts as empty. Errors: as for
 * lm_state_dir_open_readonly(). */
LmCache *lm_cache_open_readonly (const char *state_dir, const LmCacheOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_cache_close: frees @cache; NULL is ignored. All locks of lm_cache_lock_part()
 * must have been released. */
void lm_cache_close (LmCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCache, lm_cache_close)

/** lm_cache_get_dir: returns the absolute path of the state directory. Owned by @cache. */
const char *lm_cache_get_dir (LmCache *cache);

/** lm_cache_get_fd: returns the descriptor of the state directory, valid until
 * @cache is closed; -1 if @cache is read-only and the directory is missing. */
int lm_cache_get_fd (LmCache *cache);

/** lm_cache_relative_path: returns "layers/sha256-<hex>.qcow2" or
 * "blobs/sha256-<hex>", newly allocated. */
char *lm_cache_relative_path (LmBlobKind kind, const LmDigest *digest);

/** lm_cache_get_path: returns the absolute path that the file has or would have,
 * newly allocated. */
char *lm_cache_get_path (LmCache *cache, LmBlobKind kind, const LmDigest *digest);

typedef enum
{
  LM_CACHE_MISSING,
  LM_CACHE_PRESENT, /* its contents match the digest */
  LM_CACHE_DAMAGED, /* the name exists, but its contents do not match the digest */
} LmCacheState;

/** lm_cache_check: checks whether the file of @blob is in the cache and undamaged.
 * Only the kind and digest of @blob are used, because its size may come from a
 * wrong catalog. Fast, unless the file was changed or never verified; then it is
 * read in full. The result is kept for this run in the findings, and also for later
 * runs if @cache is not read-only and the file was not changed within the last
 * seconds. A layer that libvirt gave to the user of QEMU is verified again; before
 * that, root takes back its ownership. If @cache is not read-only, root also sets the
 * immutable flag if it is missing. Blocks. Errors: G_IO_ERROR (also _CANCELLED; _BUSY
 * if the file keeps changing). */
gboolean lm_cache_check (LmCache *cache, const LmBlob *blob, LmCacheState *out_state, GCancellable *cancellable,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_note_published: sets the immutable flag of the open, published file @fd,
 * whose contents were verified to match @digest, and records that. @identity is the
 * identity of the file, taken before it was read; if the contents have changed since
 * then, nothing is recorded. If this fails, for example for lack of space, the file is
 * only verified again later. */
void lm_cache_note_published (LmCache *cache, LmBlobKind kind, const LmDigest *digest, int fd, const LmIdentity *identity);

/** lm_cache_list: returns an LmCacheEntry for each cached file, layers before
 * blobs, sorted by digest. Files with other names are ignored. Errors: G_IO_ERROR. */
GPtrArray *lm_cache_list (LmCache *cache, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_has_lost_size: whether the file of @entry had another size when it was
 * verified, so that it was truncated or overwritten since. FALSE if that is not
 * known. Reads a note, not the file. */
gboolean lm_cache_has_lost_size (LmCache *cache, const LmCacheEntry *entry);

/** lm_cache_list_digests: returns the digests (LmDigest) of the files of @kind, by
 * their names only; newly allocated, in no particular order. Errors: G_IO_ERROR. */
GPtrArray *lm_cache_list_digests (LmCache *cache, LmBlobKind kind, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How long to wait for an exclusive holder of the lock of the cache or of a lease, who
 * only deletes one file. */
#define LM_CACHE_LOCK_MS (60 * 1000)

/** lm_cache_lock: takes the lock of the cache, LM_LOCK_SHARED to publish or
 * LM_LOCK_EXCLUSIVE to delete. It must be held only briefly, never during a
 * transfer or the start of a machine. @timeout_ms and errors as for
 * lm_lock_acquire(). */
LmLock *lm_cache_lock (LmCache *cache, LmLockMode mode, gint timeout_ms, GCancellable *cancellable,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_lease: protects the files of @blobs (LmBlob), whether they exist yet or
 * not, from being deleted until the returned lock is released or the process ends.
 * To be taken before checking whether they exist, and kept until a record or domain
 * refers to them. Any number of processes can lease the same file. Waits at most
 * until a deletion has finished. Errors: LM_LOCK_ERROR, G_IO_ERROR. */
LmLock *lm_cache_lease (LmCache *cache, const GPtrArray *blobs, GCancellable *cancellable,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_open_leases: opens the table of leases, in which the number of a digest
 * (lm_digest_get_number()) is locked while somebody, perhaps this process, needs the
 * file; nothing is locked yet. Errors: G_IO_ERROR. */
LmLock *lm_cache_open_leases (LmCache *cache, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_open_part_locks: opens the lock table of partial/ for locks other than
 * those of lm_cache_lock_part(); nothing is locked yet. Errors: G_IO_ERROR. */
LmLock *lm_cache_open_part_locks (LmCache *cache, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_lock_part: takes the lock for writing the .part file of @digest,
 * without waiting; for partial.c. All locks of @cache share one descriptor. All
 * calls for one @cache must be made in the same thread. Errors: LM_LOCK_ERROR_BUSY,
 * also if @cache holds this lock already; G_IO_ERROR. */
gboolean lm_cache_lock_part (LmCache *cache, const LmDigest *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_unlock_part: releases the lock of lm_cache_lock_part(); does nothing if it is not held. */
void lm_cache_unlock_part (LmCache *cache, const LmDigest *digest);

/** lm_cache_remove: deletes one file; succeeds if it is missing. The caller holds
 * @exclusive of lm_cache_lock() and has checked under it that no machine and no
 * domain needs the file. Errors: LM_CACHE_ERROR_BUSY if it is leased, G_IO_ERROR. */
gboolean lm_cache_remove (LmCache *cache, LmLock *exclusive, LmBlobKind kind, const LmDigest *digest,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_take_out: renames the file of @blob to @to_name in @to, a directory of the
 * same state directory. Only if lm_cache_check() of this run found it damaged and it
 * has not changed since; otherwise *out_taken is FALSE. The caller holds @exclusive of
 * lm_cache_lock(). A lease does not prevent this, because a damaged file is of no use
 * to anybody; who has it open keeps it. Errors: G_IO_ERROR. */
gboolean lm_cache_take_out (LmCache *cache, LmLock *exclusive, const LmBlob *blob, const LmStateDir *to,
                            const char *to_name, gboolean *out_taken, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_get_free: gets how many bytes can still be written where the cache is;
 * LAMINA_TEST_FREE overrides it. Errors: G_IO_ERROR. */
gboolean lm_cache_get_free (LmCache *cache, guint64 *out_free, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_check_space: whether @needed more bytes fit; LAMINA_TEST_FREE overrides
 * the free space. Errors: LM_CACHE_ERROR_NO_SPACE, with both numbers in the
 * message, and G_IO_ERROR. */
gboolean lm_cache_check_space (LmCache *cache, guint64 needed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
