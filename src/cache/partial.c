/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/partial.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/trace.h"
#include "cache/private.h"
#include "cache/quarantine.h"
#include "cache/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 512
#define WRITE_BACK_STEP (8 * 1024 * 1024)

struct _LmPartial
{
  LmCache *cache;
  LmDigest digest;
  int fd;              /* -1 after lm_partial_set_aside() */
  char *path;      /* absolute, of the .part file */
  char *relative;  /* the same, relative to the state directory */
  guint64 reserved;
  guint64 end;        /* number of bytes received */
  guint64 write_back; /* up to here the kernel was told to write back */
  LmIdentity identity; /* after the last change by this process */
  gboolean changed_by_others; /* somebody else has changed the file */
};

/* These two are called around each change by this process, so that changes by others are noticed. */
static void
check_identity (LmPartial *partial)
{
  const LmIdentity now = lm_identity_of_fd (partial->fd);
  partial->changed_by_others |= !lm_identity_has_same_content (&partial->identity, &now);
}

static void
update_identity (LmPartial *partial)
{
  partial->identity = lm_identity_of_fd (partial->fd);
}

static char *
make_partial_name (const LmDigest *digest, const char *suffix)
{
  g_autofree char *name = lm_digest_file_name (digest, suffix);
  return g_build_filename ("partial", name, NULL);
}

/* A crash between sync and publication leaves a .part file with mode 0444, which
 * only root could open again. */
static int
open_part_file (int dir_fd, const char *relative)
{
  int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
  int fd = openat (dir_fd, relative, flags, 0600);
  if (fd < 0 && errno == EACCES && fchmodat (dir_fd, relative, 0600, 0) == 0)
    fd = openat (dir_fd, relative, flags, 0600);
  return fd;
}

LmPartial *
lm_partial_open (LmCache *cache, const LmDigest *digest, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (!lm_cache_lock_part (cache, digest, &failure))
    {
      if (g_error_matches (failure, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY))
        {
          g_autofree char *part = make_partial_name (digest, ".part");
          return lm_throw_null (error, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY, "another process is writing %s/%s",
                                lm_cache_get_dir (cache), part);
        }
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  g_autofree char *relative = make_partial_name (digest, ".part");
  lm_autofd int fd = open_part_file (lm_cache_get_fd (cache), relative);
  if (fd < 0)
    {
      (void) lm_throw_errno (error, "cannot open %s/%s", lm_cache_get_dir (cache), relative);
      lm_cache_unlock_part (cache, digest);
      return NULL;
    }
  LmPartial *partial = g_new0 (LmPartial, 1);
  partial->cache = cache;
  partial->digest = *digest;
  partial->fd = lm_fd_steal (&fd);
  partial->path = g_build_filename (lm_cache_get_dir (cache), relative, NULL);
  partial->relative = g_steal_pointer (&relative);
  partial->end = partial->write_back = lm_partial_get_size (partial);
  update_identity (partial);
  return partial;
}

/* The byte that those share for whom the file is reserved; another than that of who writes it. */
static guint64
get_claim_number (const LmDigest *digest)
{
  return ~lm_digest_get_number (digest);
}

gboolean
lm_partial_claim (LmCache *cache, const LmDigest *digest, GCancellable *cancellable, GError **error)
{
  LmLock *locks = lm_cache_get_part_locks (cache, error);
  if (locks == NULL
      || !lm_lock_table_lock (locks, get_claim_number (digest), LM_LOCK_SHARED, LM_CACHE_LOCK_MS, cancellable, error))
    return FALSE;
  g_hash_table_add (cache->claims, g_memdup2 (digest, sizeof *digest));
  return TRUE;
}

/* An empty .part file is of no use, unless its space is reserved for somebody. */
static void
remove_empty (LmPartial *partial)
{
  LmLock *locks = lm_cache_get_part_locks (partial->cache, NULL);
  const guint64 number = get_claim_number (&partial->digest);
  /* A lock table would grant the lock to its holder. */
  if (locks == NULL || g_hash_table_contains (partial->cache->claims, &partial->digest)
      || !lm_lock_table_lock (locks, number, LM_LOCK_EXCLUSIVE, 0, NULL, NULL))
    return;
  (void) unlink (partial->path);
  lm_lock_table_unlock (locks, number);
}

void
lm_partial_close (LmPartial *partial)
{
  if (partial == NULL)
    return;
  if (partial->fd >= 0 && lm_partial_get_size (partial) == 0)
    remove_empty (partial);
  lm_fd_clear (&partial->fd);
  lm_cache_unlock_part (partial->cache, &partial->digest);
  g_free (partial->path);
  g_free (partial->relative);
  g_free (partial);
}

void
lm_partial_discard (LmPartial *partial)
{
  (void) unlink (partial->path);
  lm_fd_clear (&partial->fd);
  lm_partial_close (partial);
}

int
lm_partial_get_fd (LmPartial *partial)
{
  return partial->fd;
}

const char *
lm_partial_get_path (LmPartial *partial)
{
  return partial->path;
}

guint64
lm_partial_get_size (LmPartial *partial)
{
  struct stat st;
  return fstat (partial->fd, &st) == 0 ? (guint64) st.st_size : 0;
}

static gboolean
is_no_space (int code)
{
  return code == ENOSPC || code == EDQUOT || code == EFBIG;
}

gboolean
lm_partial_reserve (LmPartial *partial, guint64 size, GError **error)
{
  struct stat st;
  if (fstat (partial->fd, &st) < 0)
    return lm_throw_errno (error, "cannot stat %s", partial->path);
  guint64 held = (guint64) st.st_blocks * BLOCK;
  if (!lm_cache_check_space (partial->cache, size > held ? size - held : 0, error) || !lm_fault_point ("part-reserve", error))
    return FALSE;
  if (size == 0)
    return TRUE;
  check_identity (partial);
  /* Keep the file size, from which other processes read the progress. */
  if (fallocate (partial->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t) size) == 0 || errno == EOPNOTSUPP || errno == ENOSYS)
    {
      update_identity (partial);
      partial->reserved = size;
      return TRUE;
    }
  if (is_no_space (errno))
    return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE, "cannot reserve %" G_GUINT64_FORMAT " bytes in %s: %s", size,
                     lm_cache_get_dir (partial->cache), lm_error_text_of_errno (errno));
  return lm_throw_errno (error, "cannot reserve %" G_GUINT64_FORMAT " bytes for %s", size, partial->path);
}

gboolean
lm_partial_hold (LmCache *cache, const LmDigest *digest, guint64 size, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmPartial) partial = lm_partial_open (cache, digest, &failure);
  if (partial == NULL && g_error_matches (failure, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY))
    return TRUE;
  if (partial == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (!lm_partial_reserve (partial, size, error))
    return FALSE;
  /* Closed like this, it is kept although it is empty. */
  lm_partial_set_aside (partial);
  return TRUE;
}

void
lm_partial_drop_empty (LmCache *cache, const LmDigest *digest)
{
  g_autofree char *relative = make_partial_name (digest, ".part");
  struct stat st;
  /* First, so that of several processes that do this at once the last one finds no other. */
  if (g_hash_table_remove (cache->claims, digest))
    lm_lock_table_unlock (cache->part_locks, get_claim_number (digest));
  if (fstatat (lm_cache_get_fd (cache), relative, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == 0)
    lm_partial_close (lm_partial_open (cache, digest, NULL));
}

gboolean
lm_partial_append (LmPartial *partial, const void *data, gsize size, GError **error)
{
  if (!lm_fault_point ("part-before-write", error))
    return FALSE;
  check_identity (partial);
  for (gsize done = 0; done < size;)
    {
      ssize_t n = pwrite (partial->fd, (const guint8 *) data + done, size - done, (off_t) partial->end);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && is_no_space (errno))
        return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE, "cannot write %s: %s", partial->path, lm_error_text_of_errno (errno));
      if (n < 0)
        return lm_throw_errno (error, "cannot write %s", partial->path);
      done += (gsize) n;
      partial->end += (guint64) n;
    }
  update_identity (partial);
  if (partial->end - partial->write_back >= WRITE_BACK_STEP)
    {
      (void) sync_file_range (partial->fd, (off_t) partial->write_back, (off_t) (partial->end - partial->write_back),
                              SYNC_FILE_RANGE_WRITE);
      partial->write_back = partial->end;
    }
  return lm_fault_point ("part-after-write", error);
}

gboolean
lm_partial_cut (LmPartial *partial, guint64 size, GError **error)
{
  check_identity (partial);
  if (ftruncate (partial->fd, (off_t) size) < 0)
    return lm_throw_errno (error, "cannot truncate %s", partial->path);
  partial->end = partial->write_back = size;
  update_identity (partial);
  return TRUE;
}

gboolean
lm_partial_truncate (LmPartial *partial, GError **error)
{
  if (!lm_partial_cut (partial, 0, error))
    return FALSE;
  if (partial->reserved > 0)
    (void) !fallocate (partial->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t) partial->reserved);
  update_identity (partial);
  partial->changed_by_others = FALSE;
  return TRUE;
}

gboolean
lm_partial_sync (LmPartial *partial, GError **error)
{
  if (!lm_fault_point ("part-before-sync", error))
    return FALSE;
  if (fchmod (partial->fd, 0444) < 0)
    return lm_throw_errno (error, "cannot set the mode of %s", partial->path);
  if (fsync (partial->fd) < 0)
    {
      if (is_no_space (errno))
        return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE, "cannot write %s: %s", partial->path, lm_error_text_of_errno (errno));
      return lm_throw_errno (error, "cannot sync %s", partial->path);
    }
  return lm_fault_point ("part-after-sync", error);
}

void
lm_partial_set_aside (LmPartial *partial)
{
  lm_fd_clear (&partial->fd);
}

gboolean
lm_partial_rename (LmPartial *partial, const LmDigest *digest, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *relative = make_partial_name (digest, ".part");
  int dir = lm_cache_get_fd (partial->cache);
  if (lm_digest_equal (&partial->digest, digest))
    return TRUE;
  if (!lm_cache_lock_part (partial->cache, digest, &failure))
    {
      if (g_error_matches (failure, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY))
        return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY, "another process is writing %s/%s",
                         lm_cache_get_dir (partial->cache), relative);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (renameat (dir, partial->relative, dir, relative) < 0)
    {
      (void) lm_throw_errno (error, "cannot rename %s", partial->path);
      lm_cache_unlock_part (partial->cache, digest);
      return FALSE;
    }
  lm_cache_unlock_part (partial->cache, &partial->digest);
  partial->digest = *digest;
  g_free (partial->path);
  partial->path = g_build_filename (lm_cache_get_dir (partial->cache), relative, NULL);
  g_free (partial->relative);
  partial->relative = g_steal_pointer (&relative);
  return TRUE;
}

/* For reading only: the mode is that of a published file. */
static gboolean
reopen_part (LmPartial *partial, GError **error)
{
  if (partial->fd < 0)
    partial->fd = openat (lm_cache_get_fd (partial->cache), partial->relative,
                          O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  return partial->fd >= 0 || lm_throw_errno (error, "cannot open %s", partial->path);
}

/* The digest was computed from the data before it was written. Checks that the file
 * still contains that data. */
static gboolean
check_contents (LmPartial *partial, GCancellable *cancellable, GError **error)
{
  LmDigest digest;
  check_identity (partial);
  if (!partial->changed_by_others)
    return TRUE;
  lm_trace (LM_TRACE_CACHE, "%s was changed by another process: reading it", partial->path);
  if (!lm_verify_hash (partial->fd, partial->path, NULL, &digest, &partial->identity, NULL, cancellable, error))
    return FALSE;
  partial->changed_by_others = FALSE;
  return lm_digest_equal (&digest, &partial->digest)
         || lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_CONFLICT,
                      "%s was changed by another process while it was being written; try again", partial->path);
}

/* Renames the file to @to, unless there is such a file. */
static gboolean
rename_to_final (LmPartial *partial, LmBlobKind kind, const char *to, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmLock) lock = lm_cache_lock (partial->cache, LM_LOCK_SHARED, LM_CACHE_LOCK_MS, cancellable, error);
  if (lock == NULL || !lm_file_publish (lm_cache_get_fd (partial->cache), partial->relative, to, error))
    return FALSE;
  lm_cache_note_published (partial->cache, kind, &partial->digest, partial->fd, &partial->identity);
  return TRUE;
}

/* Moves a damaged file out of the way. */
static gboolean
set_damaged_aside (LmPartial *partial, const LmBlob *blob, const char *to, GCancellable *cancellable, GError **error)
{
  struct stat st;
  if (fstatat (lm_cache_get_fd (partial->cache), to, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG (st.st_mode))
    return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_CONFLICT, "%s/%s is not a regular file; remove it",
                     lm_cache_get_dir (partial->cache), to);
  return lm_quarantine_move (partial->cache, blob, NULL, NULL, cancellable, error);
}

gboolean
lm_partial_publish (LmPartial *partial, LmBlobKind kind, GCancellable *cancellable, GError **error)
{
  const LmBlob blob = { .kind = kind, .digest = partial->digest };
  g_autofree char *to = lm_cache_relative_path (kind, &partial->digest);
  if (!reopen_part (partial, error) || !check_contents (partial, cancellable, error))
    return FALSE;
  for (gboolean published = FALSE; !published;)
    {
      /* Not under the lock, because this may have to read a large file. */
      LmCacheState state;
      if (!lm_cache_check (partial->cache, &blob, &state, cancellable, error))
        return FALSE;
      if (state == LM_CACHE_PRESENT)
        {
          (void) unlink (partial->path);
          break;
        }
      if (state == LM_CACHE_DAMAGED && !set_damaged_aside (partial, &blob, to, cancellable, error))
        return FALSE;
      g_autoptr (GError) failure = NULL;
      published = rename_to_final (partial, kind, to, cancellable, &failure);
      if (published || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_EXISTS))
        continue;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  /* Also if another process published it: it may have been killed before this. */
  g_autofree char *path = g_build_filename (lm_cache_get_dir (partial->cache), to, NULL);
  g_autofree char *dir = g_path_get_dirname (path);
  if (!lm_file_sync_dir (dir, error))
    return FALSE;
  lm_trace (LM_TRACE_CACHE, "published %s", to);
  return lm_fault_point ("part-after-publish", error);
}

void
lm_partial_stat (LmCache *cache, const LmDigest *digest, guint64 *out_size, guint64 *out_held)
{
  g_autofree char *relative = make_partial_name (digest, ".part");
  struct stat st;
  gboolean there = fstatat (lm_cache_get_fd (cache), relative, &st, AT_SYMLINK_NOFOLLOW) == 0;
  *out_size = there ? (guint64) st.st_size : 0;
  *out_held = there ? (guint64) st.st_blocks * BLOCK : 0;
}

static void
partial_entry_free (LmPartialEntry *entry)
{
  g_free (entry->path);
  g_free (entry);
}

GPtrArray *
lm_partial_list (LmCache *cache, GError **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) partial_entry_free);
  g_autofree char *dir = g_build_filename (lm_cache_get_dir (cache), "partial", NULL);
  lm_autofd int fd = openat (lm_cache_get_fd (cache), "partial", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return errno == ENOENT || lm_cache_get_fd (cache) < 0 ? g_steal_pointer (&entries)
                                                          : lm_throw_errno_null (error, "cannot open %s", dir);
  g_autoptr (GPtrArray) names = lm_file_list_fd (dup (fd), dir, error);
  g_autoptr (LmLock) locks = names != NULL && names->len > 0 ? lm_cache_open_part_locks (cache, error) : NULL;
  if (names == NULL || (names->len > 0 && locks == NULL))
    return NULL;
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      LmDigest digest;
      struct stat st;
      if (!lm_digest_from_file_name (name, ".part", &digest) || fstatat (fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        continue;
      LmPartialEntry *entry = g_new0 (LmPartialEntry, 1);
      *entry = (LmPartialEntry){ digest, (guint64) st.st_size, (guint64) st.st_blocks * BLOCK, (gint64) st.st_mtime,
                                 lm_lock_table_is_locked (locks, lm_digest_get_number (&digest)),
                                 g_build_filename (dir, name, NULL) };
      g_ptr_array_add (entries, entry);
    }
  return g_steal_pointer (&entries);
}

gboolean
lm_partial_remove (LmCache *cache, const LmDigest *digest, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *relative = make_partial_name (digest, ".part");
  if (!lm_cache_lock_part (cache, digest, &failure))
    {
      if (g_error_matches (failure, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY))
        return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY, "another process is writing %s/%s",
                         lm_cache_get_dir (cache), relative);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  gboolean removed = unlinkat (lm_cache_get_fd (cache), relative, 0) == 0 || errno == ENOENT
                     || lm_throw_errno (error, "cannot remove %s/%s", lm_cache_get_dir (cache), relative);
  lm_cache_unlock_part (cache, digest);
  return removed;
}
