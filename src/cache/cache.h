/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The host's directory of verified, immutable files, addressed by digest:
 *
 *   layers/sha256-<hex>.qcow2   blobs/sha256-<hex>   0444, never written again
 *   partial/                    what is still arriving, see partial.h
 *   lock                        shared to add, exclusive to delete
 *
 * It owns names, publication, the store-wide lock and the free space. It does
 * not know where bytes come from, nor whether a layer is a good image. */
#include "base/blob.h"
#include "base/lock.h"

typedef enum
{
  LM_CACHE_ERROR_NO_SPACE, /* the file system or a quota is full */
  LM_CACHE_ERROR_BUSY,     /* another process has this file in hand */
  LM_CACHE_ERROR_CONFLICT, /* something else stands under the final name */
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
 * counts as empty. For lm_cache_has(), _lookup() and _list(). Errors: as there. */
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

/** lm_cache_has: whether the file is there. */
gboolean lm_cache_has (LmCache *cache, LmBlobKind kind, const LmDigest *digest);

/** lm_cache_lookup: lm_cache_has() and lm_cache_get_path() in one; @cache is an
 * LmCache. *out_path is set either way. */
gboolean lm_cache_lookup (gpointer cache, LmBlobKind kind, const LmDigest *digest, char **out_path);

/** lm_cache_list: LmCacheEntry of all that is cached, layers before blobs,
 * each by digest. Files of other names are passed over. Errors: G_IO_ERROR. */
GPtrArray *lm_cache_list (LmCache *cache, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_lock: the store-wide lock: LM_LOCK_SHARED while files are added or
 * must stay, LM_LOCK_EXCLUSIVE to delete any. @timeout_ms and errors as
 * lm_lock_acquire(). */
LmLock *lm_cache_lock (LmCache *cache, LmLockMode mode, gint timeout_ms, GCancellable *cancellable,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cache_check_space: whether @needed more bytes fit; LAMINA_TEST_FREE tells
 * how many are free if set.
 * Errors: LM_CACHE_ERROR_NO_SPACE with both numbers, G_IO_ERROR. */
gboolean lm_cache_check_space (LmCache *cache, guint64 needed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
