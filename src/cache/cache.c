/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/cache.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/size.h"
#include "base/state-dir.h"
#include "base/testenv.h"
#include "base/trace.h"
#include "cache/guard.h"
#include "cache/private.h"
#include "cache/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-cache-error-quark, lm_cache_error)

static const struct
{
  const char *dir;
  const char *suffix;
} kinds[] = {
  [LM_BLOB_LAYER] = { "layers", ".qcow2" },
  [LM_BLOB_FILE] = { "blobs", NULL },
};

void
lm_cache_entry_free (LmCacheEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->path);
  g_free (entry);
}

/* Gets a number for the mount that @dir is on: rename(2) works only within one
 * mount, even if two mounts belong to the same file system. */
static gboolean
get_mount (const LmStateDir *dir, guint64 *out_mount, GError **error)
{
  struct statx st;
  if (statx (lm_state_dir_get_fd (dir), "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &st) < 0)
    return lm_throw_errno (error, "cannot stat %s", lm_state_dir_get_path (dir));
  *out_mount = (st.stx_mask & STATX_MNT_ID) != 0 ? st.stx_mnt_id : (guint64) st.stx_dev_major << 32 | st.stx_dev_minor;
  return TRUE;
}

/* A complete file is renamed from partial/ to its directory. Better to find out
 * here than after the download that this cannot work. */
static gboolean
check_mounts (LmCache *cache, GError **error)
{
  guint64 partial, other;
  if (!get_mount (cache->partial, &partial, error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      if (!get_mount (cache->dirs[i], &other, error))
        return FALSE;
      if (other != partial)
        return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_MOUNT,
                         "%s and %s are on different mounts, so a downloaded file cannot be renamed from one to the "
                         "other; mount one file system on %s instead, or use another --state-dir",
                         lm_state_dir_get_path (cache->partial), lm_state_dir_get_path (cache->dirs[i]),
                         lm_cache_get_dir (cache));
    }
  return TRUE;
}

/* Takes ownership of @state, which may be NULL. A read-only cache does not need
 * partial/ and might not be allowed to open it. */
static LmCache *
open_cache (LmStateDir *state, const LmCacheOptions *options, gboolean with_partial, GError **error)
{
  if (state == NULL)
    return NULL;
  g_autoptr (LmCache) cache = g_new0 (LmCache, 1);
  cache->state = state;
  cache->findings = options && options->findings ? lm_findings_ref (options->findings) : lm_findings_new ();
  cache->with_flag = options == NULL || !options->without_flag;
  cache->parts = g_hash_table_new_full (lm_digest_hash, lm_digest_equal_func, g_free, NULL);
  cache->claims = g_hash_table_new_full (lm_digest_hash, lm_digest_equal_func, g_free, NULL);
  cache->verified = lm_state_dir_open_below (state, "verified", 0755, error);
  if (cache->verified == NULL)
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      cache->dirs[i] = lm_state_dir_open_below (state, kinds[i].dir, 0755, error);
      if (cache->dirs[i] == NULL)
        return NULL;
    }
  if (!with_partial)
    return g_steal_pointer (&cache);
  cache->partial = lm_state_dir_open_below (state, "partial", 0700, error);
  return cache->partial != NULL && check_mounts (cache, error) ? g_steal_pointer (&cache) : NULL;
}

LmCache *
lm_cache_open (const char *state_dir, const LmCacheOptions *options, GError **error)
{
  return open_cache (lm_state_dir_open (state_dir, error), options, TRUE, error);
}

LmCache *
lm_cache_open_readonly (const char *state_dir, const LmCacheOptions *options, GError **error)
{
  return open_cache (lm_state_dir_open_readonly (state_dir, error), options, FALSE, error);
}

void
lm_cache_close (LmCache *cache)
{
  if (cache == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    lm_state_dir_close (cache->dirs[i]);
  lm_state_dir_close (cache->verified);
  lm_state_dir_close (cache->partial);
  lm_lock_release (cache->part_locks);
  g_hash_table_unref (cache->parts);
  g_hash_table_unref (cache->claims);
  lm_findings_unref (cache->findings);
  lm_state_dir_close (cache->state);
  g_free (cache);
}

const char *
lm_cache_get_dir (LmCache *cache)
{
  return lm_state_dir_get_path (cache->state);
}

int
lm_cache_get_fd (LmCache *cache)
{
  return lm_state_dir_get_fd (cache->state);
}

char *
lm_cache_get_name (LmBlobKind kind, const LmDigest *digest)
{
  return lm_digest_file_name (digest, kinds[kind].suffix);
}

char *
lm_cache_relative_path (LmBlobKind kind, const LmDigest *digest)
{
  g_autofree char *name = lm_cache_get_name (kind, digest);
  return g_build_filename (kinds[kind].dir, name, NULL);
}

char *
lm_cache_get_path (LmCache *cache, LmBlobKind kind, const LmDigest *digest)
{
  g_autofree char *relative = lm_cache_relative_path (kind, digest);
  return g_build_filename (lm_cache_get_dir (cache), relative, NULL);
}

/* FALSE if nothing was noted or it cannot be read; then the file is verified again. */
static gboolean
read_note (LmCache *cache, LmBlobKind kind, const LmDigest *digest, LmIdentity *out)
{
  g_autofree char *name = lm_cache_get_name (kind, digest);
  const gsize size = LM_IDENTITY_ALL_SIZE + 1;
  g_autoptr (GBytes) bytes = lm_state_dir_read (cache->verified, name, size, NULL);
  if (bytes == NULL || g_bytes_get_size (bytes) != size)
    return FALSE;
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), size - 1);
  return lm_identity_parse (text, out);
}

void
lm_cache_note (LmCache *cache, LmBlobKind kind, const LmDigest *digest, const LmFinding *finding, gboolean for_later)
{
  int dir_fd = lm_state_dir_get_fd (cache->verified);
  g_autofree char *name = lm_cache_get_name (kind, digest);
  lm_findings_note (cache->findings, kind, digest, finding);
  if (for_later && cache->partial != NULL && dir_fd >= 0)
    lm_verify_write_note (dir_fd, name, &finding->identity);
}

void
lm_cache_note_published (LmCache *cache, LmBlobKind kind, const LmDigest *digest, int fd, const LmIdentity *identity)
{
  lm_guard_restore (fd, cache->with_flag);
  (void) !lm_fault_point ("flag-before-note", NULL);
  const LmFinding now = { .identity = lm_identity_of_fd (fd), .settled = TRUE, .good = TRUE };
  if (lm_identity_has_same_content (&now.identity, identity))
    lm_cache_note (cache, kind, digest, &now, TRUE);
}

int
lm_cache_open_file (LmCache *cache, LmBlobKind kind, const char *name)
{
  return openat (lm_state_dir_get_fd (cache->dirs[kind]), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
}

/* Computes the digest of the open file. */
static gboolean
hash_file (const LmBlob *blob, int fd, const char *path, const struct stat *st, LmFinding *out_found,
           GCancellable *cancellable, GError **error)
{
  LmDigest digest;
  gboolean settled;
  /* Its owner can restore its modification time. */
  const gboolean hidden = lm_guard_is_exposed (st) && !lm_identity_is_settled (lm_identity_of (st).ctime);
  lm_trace (LM_TRACE_CACHE, "%s has changed since it was verified, or never was: reading it", path);
  if (!lm_verify_hash (fd, path, NULL, &digest, &out_found->identity, &settled, cancellable, error))
    return FALSE;
  out_found->settled = settled && !hidden;
  out_found->good = lm_digest_equal (&digest, &blob->digest);
  return TRUE;
}

/* Reads the file in full, if this run has not done so yet, and compares its digest. */
static gboolean
verify_digest (LmCache *cache, const LmBlob *blob, const char *name, LmCacheState *out_state, GCancellable *cancellable,
               GError **error)
{
  lm_autofd int fd = lm_cache_open_file (cache, blob->kind, name);
  g_autofree char *path = g_build_filename (lm_state_dir_get_path (cache->dirs[blob->kind]), name, NULL);
  if (fd < 0 && errno == ENOENT)
    {
      *out_state = LM_CACHE_MISSING;
      return TRUE;
    }
  if (fd < 0)
    return lm_throw_errno (error, "cannot open %s", path);
  LmIdentity now = lm_identity_of_fd (fd);
  LmFinding found;
  gboolean known = lm_findings_get (cache->findings, blob->kind, &blob->digest, &found)
                   && lm_identity_is_equal (&found.identity, &now);
  /* Before it is read, so that nobody can change it afterwards and restore its times. */
  if (cache->partial != NULL)
    lm_guard_restore (fd, cache->with_flag);
  struct stat st;
  if (fstat (fd, &st) < 0)
    return lm_throw_errno (error, "cannot stat %s", path);
  now = lm_identity_of (&st);
  if (known && lm_identity_has_same_content (&found.identity, &now))
    found.identity = now;
  else if (!hash_file (blob, fd, path, &st, &found, cancellable, error))
    return FALSE;
  /* If it was read just after a change, another one might not show. */
  lm_cache_note (cache, blob->kind, &blob->digest, &found, found.good && found.settled && !lm_guard_is_exposed (&st));
  *out_state = found.good ? LM_CACHE_PRESENT : LM_CACHE_DAMAGED;
  return TRUE;
}

/* Sets the flag of an undamaged file that does not have it: it was published by an older
 * version, or somebody lifted it. That changes the identity of the file. */
static void
set_missing_flag (LmCache *cache, const LmBlob *blob, const char *name, const LmIdentity *identity)
{
  if (cache->partial == NULL || !cache->with_flag
      || !lm_guard_lacks_flag (lm_state_dir_get_fd (cache->dirs[blob->kind]), name))
    return;
  lm_autofd int fd = lm_cache_open_file (cache, blob->kind, name);
  const LmIdentity now = lm_identity_of_fd (fd);
  if (lm_identity_is_untouched (&now, identity))
    lm_cache_note_published (cache, blob->kind, &blob->digest, fd, identity);
}

gboolean
lm_cache_check (LmCache *cache, const LmBlob *blob, LmCacheState *out_state, GCancellable *cancellable, GError **error)
{
  const LmStateDir *dir = cache->dirs[blob->kind];
  g_autofree char *name = lm_cache_get_name (blob->kind, &blob->digest);
  struct stat st;
  if (lm_state_dir_get_fd (dir) < 0 || fstatat (lm_state_dir_get_fd (dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    {
      if (lm_state_dir_get_fd (dir) >= 0 && errno != ENOENT)
        return lm_throw_errno (error, "cannot stat %s/%s", lm_state_dir_get_path (dir), name);
      *out_state = LM_CACHE_MISSING;
      return TRUE;
    }
  const LmIdentity now = lm_identity_of (&st);
  LmIdentity then;
  gboolean noted = read_note (cache, blob->kind, &blob->digest, &then);
  /* Two files with the same digest cannot differ in size. */
  if (!S_ISREG (st.st_mode) || (noted && then.size != now.size))
    {
      const LmFinding found = { .identity = now, .settled = TRUE };
      if (S_ISREG (st.st_mode))
        lm_cache_note (cache, blob->kind, &blob->digest, &found, FALSE);
      *out_state = LM_CACHE_DAMAGED;
    }
  else if (noted && lm_identity_is_untouched (&then, &now) && !lm_guard_is_exposed (&st))
    {
      *out_state = LM_CACHE_PRESENT;
      set_missing_flag (cache, blob, name, &now);
    }
  else
    return verify_digest (cache, blob, name, out_state, cancellable, error);
  return TRUE;
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const LmCacheEntry *one = *(LmCacheEntry *const *) a, *two = *(LmCacheEntry *const *) b;
  if (one->kind != two->kind)
    return one->kind < two->kind ? -1 : 1;
  return lm_digest_compare (&one->digest, &two->digest);
}

static gboolean
list_entries (LmCache *cache, LmBlobKind kind, GPtrArray *entries, GError **error)
{
  g_autoptr (GPtrArray) names = lm_state_dir_list (cache->dirs[kind], error);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      LmDigest digest;
      struct stat st;
      if (!lm_digest_from_file_name (name, kinds[kind].suffix, &digest))
        continue;
      if (fstatat (lm_state_dir_get_fd (cache->dirs[kind]), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        {
          if (errno == ENOENT)
            continue;
          return lm_throw_errno (error, "cannot stat %s/%s", lm_state_dir_get_path (cache->dirs[kind]), name);
        }
      if (!S_ISREG (st.st_mode))
        continue;
      LmCacheEntry *entry = g_new0 (LmCacheEntry, 1);
      entry->kind = kind;
      entry->digest = digest;
      entry->size = (guint64) st.st_size;
      entry->mtime = (gint64) st.st_mtime;
      entry->allocated = (guint64) st.st_blocks * 512;
      entry->identity = lm_identity_of (&st);
      entry->path = g_strconcat (lm_state_dir_get_path (cache->dirs[kind]), "/", name, NULL);
      g_ptr_array_add (entries, entry);
    }
  return names != NULL;
}

GPtrArray *
lm_cache_list (LmCache *cache, GError **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_cache_entry_free);
  if (!list_entries (cache, LM_BLOB_LAYER, entries, error) || !list_entries (cache, LM_BLOB_FILE, entries, error))
    return NULL;
  g_ptr_array_sort (entries, compare_entries);
  return g_steal_pointer (&entries);
}

gboolean
lm_cache_has_lost_size (LmCache *cache, const LmCacheEntry *entry)
{
  LmIdentity then;
  return read_note (cache, entry->kind, &entry->digest, &then) && then.size != entry->size;
}

GPtrArray *
lm_cache_list_digests (LmCache *cache, LmBlobKind kind, GError **error)
{
  g_autoptr (GPtrArray) digests = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) names = lm_state_dir_list (cache->dirs[kind], error);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      LmDigest digest;
      if (lm_digest_from_file_name (g_ptr_array_index (names, i), kinds[kind].suffix, &digest))
        g_ptr_array_add (digests, g_memdup2 (&digest, sizeof digest));
    }
  return names != NULL ? g_steal_pointer (&digests) : NULL;
}

LmLock *
lm_cache_lock (LmCache *cache, LmLockMode mode, gint timeout_ms, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = g_build_filename (lm_cache_get_dir (cache), "lock", NULL);
  return lm_lock_acquire (path, mode, timeout_ms, NULL, NULL, cancellable, error);
}

LmLock *
lm_cache_open_part_locks (LmCache *cache, GError **error)
{
  g_autofree char *path = g_build_filename (lm_cache_get_dir (cache), "partial", "lock", NULL);
  return lm_lock_table_open (path, error);
}

LmLock *
lm_cache_get_part_locks (LmCache *cache, GError **error)
{
  if (cache->part_locks == NULL)
    cache->part_locks = lm_cache_open_part_locks (cache, error);
  return cache->part_locks;
}

gboolean
lm_cache_lock_part (LmCache *cache, const LmDigest *digest, GError **error)
{
  if (lm_cache_get_part_locks (cache, error) == NULL)
    return FALSE;
  /* A lock table would grant the lock to its holder again. */
  if (g_hash_table_contains (cache->parts, digest))
    return lm_throw (error, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY, "this process is writing the file already");
  if (!lm_lock_table_lock (cache->part_locks, lm_digest_get_number (digest), LM_LOCK_EXCLUSIVE, 0, NULL, error))
    return FALSE;
  g_hash_table_add (cache->parts, g_memdup2 (digest, sizeof *digest));
  return TRUE;
}

void
lm_cache_unlock_part (LmCache *cache, const LmDigest *digest)
{
  if (g_hash_table_remove (cache->parts, digest))
    lm_lock_table_unlock (cache->part_locks, lm_digest_get_number (digest));
}

LmLock *
lm_cache_open_leases (LmCache *cache, GError **error)
{
  g_autofree char *path = g_build_filename (lm_cache_get_dir (cache), "leases", NULL);
  return lm_lock_table_open (path, error);
}

LmLock *
lm_cache_lease (LmCache *cache, const GPtrArray *blobs, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmLock) lease = lm_cache_open_leases (cache, error);
  for (guint i = 0; lease != NULL && i < blobs->len; i++)
    {
      const LmBlob *blob = g_ptr_array_index (blobs, i);
      if (!lm_lock_table_lock (lease, lm_digest_get_number (&blob->digest), LM_LOCK_SHARED, LM_CACHE_LOCK_MS, cancellable,
                               error))
        return NULL;
    }
  return g_steal_pointer (&lease);
}

gboolean
lm_cache_remove (LmCache *cache, LmLock *exclusive, LmBlobKind kind, const LmDigest *digest, GError **error)
{
  g_return_val_if_fail (exclusive != NULL, FALSE);
  g_autofree char *name = lm_cache_get_name (kind, digest);
  g_autoptr (LmLock) lease = lm_cache_open_leases (cache, error);
  g_autoptr (GError) failure = NULL;
  if (lease == NULL)
    return FALSE;
  /* Without waiting, because others wait for the lock of the cache. */
  if (!lm_lock_table_lock (lease, lm_digest_get_number (digest), LM_LOCK_EXCLUSIVE, 0, NULL, &failure))
    {
      if (g_error_matches (failure, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY))
        return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY, "%s/%s is needed by another process",
                         lm_state_dir_get_path (cache->dirs[kind]), name);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  const LmStateDir *dir = cache->dirs[kind];
  if (!lm_guard_remove (dir, name, error) || !lm_fault_point ("cache-after-unlink", error))
    return FALSE;
  if (fsync (lm_state_dir_get_fd (dir)) < 0)
    return lm_throw_errno (error, "cannot sync %s", lm_state_dir_get_path (dir));
  return lm_state_dir_remove_file (cache->verified, name, error);
}

gboolean
lm_cache_take_out (LmCache *cache, LmLock *exclusive, const LmBlob *blob, const LmStateDir *to, const char *to_name,
                   gboolean *out_taken, GError **error)
{
  g_return_val_if_fail (exclusive != NULL, FALSE);
  const LmStateDir *from = cache->dirs[blob->kind];
  int from_fd = lm_state_dir_get_fd (from);
  g_autofree char *name = lm_cache_get_name (blob->kind, &blob->digest);
  LmFinding found;
  struct stat st;
  *out_taken = FALSE;
  if (!lm_findings_get (cache->findings, blob->kind, &blob->digest, &found) || found.good
      || fstatat (from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return TRUE;
  const LmIdentity now = lm_identity_of (&st);
  if (!lm_identity_is_equal (&found.identity, &now))
    return TRUE;
  if (!lm_guard_move (from, name, to, to_name, error))
    return FALSE;
  *out_taken = TRUE;
  if (fsync (lm_state_dir_get_fd (to)) < 0 || fsync (from_fd) < 0)
    return lm_throw_errno (error, "cannot sync %s", lm_state_dir_get_path (from));
  return lm_state_dir_remove_file (cache->verified, name, error);
}

/* The file system on which the directory @path, which does not exist, would be created. */
static gboolean
stat_parent (const char *path, struct statvfs *out_st)
{
  g_autofree char *parent = g_path_get_dirname (path);
  return statvfs (parent, out_st) == 0 || (errno == ENOENT && strcmp (parent, path) != 0 && stat_parent (parent, out_st));
}

gboolean
lm_cache_get_free (LmCache *cache, guint64 *out_free, GError **error)
{
  const char *pretended = lm_testenv_get (LM_TESTENV_FREE);
  if (pretended != NULL)
    {
      *out_free = g_ascii_strtoull (pretended, NULL, 10);
      return TRUE;
    }
  struct statvfs st;
  if (lm_cache_get_fd (cache) < 0 ? !stat_parent (lm_cache_get_dir (cache), &st) : fstatvfs (lm_cache_get_fd (cache), &st) < 0)
    return lm_throw_errno (error, "cannot get the free space of %s", lm_cache_get_dir (cache));
  *out_free = (guint64) st.f_bavail * st.f_frsize;
  return TRUE;
}

gboolean
lm_cache_check_space (LmCache *cache, guint64 needed, GError **error)
{
  guint64 available = 0;
  if (!lm_cache_get_free (cache, &available, error))
    return FALSE;
  if (needed <= available)
    return TRUE;
  g_autofree char *have = lm_size_format (available);
  g_autofree char *want = lm_size_format (needed);
  return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE, "%s has %s free, but %s are needed", lm_cache_get_dir (cache),
                   have, want);
}
