/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The host's directory of verified, immutable files, addressed by digest:
 *
 *   layers/sha256-<hex>.qcow2   blobs/sha256-<hex>   0444, never written again
 *   verified/sha256-<hex>*      what tells that a file is as it was when verified
 *   partial/                    what is still arriving, see partial.h
 *   lock                        for the instants of publishing (shared), listing
 *                               and deleting (exclusive)
 *   leases                      which files are needed now
 *
 * It owns names, publication, locks and the free space. It does not know where
 * bytes come from, nor whether a layer is a good image.
 *
 * That a file has the right name does not prove that it has the right bytes: it
 * may have been cut or overwritten. Size, time of change and inode number are
 * compared with those at its verification; where they differ the digest decides. */
#include "base/blob.h"
#include "base/lock.h"
#include <gio/gio.h>

typedef enum
{
  LM_CACHE_ERROR_NO_SPACE, /* the file system or a quota is full */
  LM_CACHE_ERROR_BUSY,     /* another process writes, or needs, this file */
  LM_CACHE_ERROR_CONFLICT, /* what has the final name is no regular file */
  LM_CACHE_ERROR_MOUNT,    /* the directories of the cache are on different mounts */
} LmCacheError;

#define LM_CACHE_ERROR lm_cache_error_quark ()
GQuark lm_cache_error_quark (void);

typedef struct _LmCache LmCache;

/* One cached file. */
typedef struct
{
  LmBlobKind kind;
  LmDigest digest;
  guint64 size; /* bytes */
  gint64 mtime; /* seconds since 1970 */
  char *path;
} LmCacheEntry;

void lm_cache_entry_free (LmCacheEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCacheEntry, lm_cache_entry_free)

/** lm_cache_open: the cache in @state_dir, which is opened by
 * lm_state_dir_open(), with its directories. Errors: as there. */
LmCache *lm_cache_open (const char *state_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_cache_open_readonly: the same to look into only: nothing is made, what is missing
 * counts as empty. For lm_cache_check() and lm_cache_list(). Errors: as there. */
LmCache *lm_cache_open_readonly (const char *state_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void lm_cache_close (LmCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCache, lm_cache_close)

/** lm_cache_get_dir: the state directory, absolute. */
const char *lm_cache_get_dir (LmCache *cache);

/** lm_cache_get_fd: the state directory, open for the life of @cache; -1 if it
 * is looked for and not there. */
int lm_cache_get_fd (LmCache *cache);

/** lm_cache_relative_path: "layers/sha256-<hex>.qcow2" or "blobs/sha256-<hex>",
 * newly allocated. */
char *lm_cache_relative_path (LmBlobKind kind, const LmDigest *digest);

/** lm_cache_get_path: the absolute path that the file has or would have, newly
 * allocated. */
char *lm_cache_get_path (LmCache *cache, LmBlobKind kind, const LmDigest *digest);

typedef enum
{
  LM_CACHE_MISSING,
  LM_CACHE_PRESENT, /* with the bytes that its digest names */
  LM_CACHE_DAMAGED, /* something else has its name */
} LmCacheState;

/** lm_cache_check: whether the file of @blob (kind and digest count; its size may
 * come from a wrong catalog) is in the cache, undamaged. Cheap, unless the file
 * was changed or never verified: then it is read, and what was found is
 * remembered. A layer that libvirt gave to QEMU's user is verified again and, by
 * root, taken back. Blocks. Errors: G_IO_ERROR (also _CANCELLED). */
gboolean lm_cache_check (LmCache *cache, const LmBlob *blob, LmCacheState *out_state, GCancellable *cancellable,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_note_verified: remembers that the open file @fd was verified to have
 * the bytes of @digest. Without this (no space, say) it is only verified again. */
void lm_cache_note_verified (LmCache *cache, LmBlobKind kind, const LmDigest *digest, int fd);

/** lm_cache_list: LmCacheEntry of all that is cached, layers before blobs,
 * each by digest. Files of other names are passed over. Errors: G_IO_ERROR. */
GPtrArray *lm_cache_list (LmCache *cache, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_lock: the store-wide lock, only for an instant and never over a
 * transfer or a start: LM_LOCK_SHARED to publish, LM_LOCK_EXCLUSIVE to delete.
 * @timeout_ms and errors as lm_lock_acquire(). */
LmLock *lm_cache_lock (LmCache *cache, LmLockMode mode, gint timeout_ms, GCancellable *cancellable,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_lease: from now on nobody deletes the files of @blobs (LmBlob), there
 * already or not, until the lock is released or the process ends. Taken before
 * they are looked for, kept until a record or domain names them. Any number of
 * processes can lease one file. Waits at most for a deletion to end. Errors:
 * LM_LOCK_ERROR, G_IO_ERROR. */
LmLock *lm_cache_lease (LmCache *cache, const GPtrArray *blobs, GCancellable *cancellable,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_remove: deletes one file; one that is missing is success. The caller
 * has asked machines and domains under the lock @exclusive of lm_cache_lock().
 * Errors: LM_CACHE_ERROR_BUSY if it is leased, G_IO_ERROR. */
gboolean lm_cache_remove (LmCache *cache, LmLock *exclusive, LmBlobKind kind, const LmDigest *digest,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_check_space: whether @needed more bytes fit; LAMINA_TEST_FREE tells
 * how many are free if set.
 * Errors: LM_CACHE_ERROR_NO_SPACE with both numbers, G_IO_ERROR. */
gboolean lm_cache_check_space (LmCache *cache, guint64 needed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
