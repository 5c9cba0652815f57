/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/state-dir.h"
#include "base/testenv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-cache-error-quark, lm_cache_error)

struct _LmCache
{
  char *dir;
  int fd;
};

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

LmCache *
lm_cache_open (const char *state_dir, GError **error)
{
  g_autoptr (LmCache) cache = g_new0 (LmCache, 1);
  cache->fd = -1;
  cache->dir = g_canonicalize_filename (state_dir, NULL);
  if (!lm_state_dir_make (cache->dir, error))
    return NULL;
  cache->fd = open (cache->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cache->fd < 0)
    return lm_throw_errno_null (error, "cannot open %s", cache->dir);
  if (!lm_state_dir_make_below (cache->fd, kinds[LM_BLOB_LAYER].dir, 0755, error)
      || !lm_state_dir_make_below (cache->fd, kinds[LM_BLOB_FILE].dir, 0755, error) || !lm_state_dir_make_below (cache->fd, "partial", 0700, error)
      || !lm_state_dir_check (cache->fd, kinds[LM_BLOB_LAYER].dir, error) || !lm_state_dir_check (cache->fd, kinds[LM_BLOB_FILE].dir, error)
      || !lm_state_dir_check (cache->fd, "partial", error))
    {
      g_prefix_error (error, "%s: ", cache->dir);
      return NULL;
    }
  return g_steal_pointer (&cache);
}

LmCache *
lm_cache_open_readonly (const char *state_dir, GError **error)
{
  g_autoptr (LmCache) cache = g_new0 (LmCache, 1);
  cache->dir = g_canonicalize_filename (state_dir, NULL);
  cache->fd = open (cache->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cache->fd < 0 && errno != ENOENT)
    return lm_throw_errno_null (error, "cannot open %s", cache->dir);
  if (cache->fd < 0)
    return g_steal_pointer (&cache);
  if (!lm_state_dir_check (AT_FDCWD, cache->dir, error))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (faccessat (cache->fd, kinds[i].dir, F_OK, 0) == 0 && !lm_state_dir_check (cache->fd, kinds[i].dir, error))
      {
        g_prefix_error (error, "%s: ", cache->dir);
        return NULL;
      }
  return g_steal_pointer (&cache);
}

void
lm_cache_close (LmCache *cache)
{
  if (cache == NULL)
    return;
  lm_fd_clear (&cache->fd);
  g_free (cache->dir);
  g_free (cache);
}

const char *
lm_cache_get_dir (LmCache *cache)
{
  return cache->dir;
}

int
lm_cache_get_fd (LmCache *cache)
{
  return cache->fd;
}

char *
lm_cache_relative_path (LmBlobKind kind, const LmDigest *digest)
{
  g_autofree char *name = lm_digest_file_name (digest, kinds[kind].suffix);
  return g_build_filename (kinds[kind].dir, name, NULL);
}

char *
lm_cache_get_path (LmCache *cache, LmBlobKind kind, const LmDigest *digest)
{
  g_autofree char *relative = lm_cache_relative_path (kind, digest);
  return g_build_filename (cache->dir, relative, NULL);
}

gboolean
lm_cache_has (LmCache *cache, LmBlobKind kind, const LmDigest *digest)
{
  g_autofree char *relative = lm_cache_relative_path (kind, digest);
  struct stat st;
  return fstatat (cache->fd, relative, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG (st.st_mode);
}

gboolean
lm_cache_lookup (gpointer cache, LmBlobKind kind, const LmDigest *digest, char **out_path)
{
  *out_path = lm_cache_get_path (cache, kind, digest);
  return lm_cache_has (cache, kind, digest);
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
list_kind (LmCache *cache, LmBlobKind kind, GPtrArray *entries, GError **error)
{
  int fd = openat (cache->fd, kinds[kind].dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && (errno == ENOENT || cache->fd < 0))
    return TRUE;
  DIR *dir = fd < 0 ? NULL : fdopendir (fd);
  if (dir == NULL)
    {
      lm_throw_errno (error, "cannot read %s/%s", cache->dir, kinds[kind].dir);
      lm_fd_clear (&fd);
      return FALSE;
    }
  struct dirent *found;
  while ((found = readdir (dir)) != NULL)
    {
      LmDigest digest;
      struct stat st;
      if (!lm_digest_from_file_name (found->d_name, kinds[kind].suffix, &digest)
          || fstatat (fd, found->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG (st.st_mode))
        continue;
      LmCacheEntry *entry = g_new0 (LmCacheEntry, 1);
      entry->kind = kind;
      entry->digest = digest;
      entry->size = (guint64) st.st_size;
      entry->mtime = (gint64) st.st_mtime;
      entry->path = lm_cache_get_path (cache, kind, &digest);
      g_ptr_array_add (entries, entry);
    }
  closedir (dir);
  return TRUE;
}

GPtrArray *
lm_cache_list (LmCache *cache, GError **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_cache_entry_free);
  if (!list_kind (cache, LM_BLOB_LAYER, entries, error) || !list_kind (cache, LM_BLOB_FILE, entries, error))
    return NULL;
  g_ptr_array_sort (entries, compare_entries);
  return g_steal_pointer (&entries);
}

LmLock *
lm_cache_lock (LmCache *cache, LmLockMode mode, gint timeout_ms, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = g_build_filename (cache->dir, "lock", NULL);
  return lm_lock_acquire (path, mode, timeout_ms, NULL, NULL, cancellable, error);
}

/* Bytes that can still be written. */
static gboolean
get_free (LmCache *cache, guint64 *out_free, GError **error)
{
  const char *pretended = lm_testenv_get (LM_TESTENV_FREE);
  if (pretended != NULL)
    {
      *out_free = g_ascii_strtoull (pretended, NULL, 10);
      return TRUE;
    }
  struct statvfs st;
  if (fstatvfs (cache->fd, &st) < 0)
    return lm_throw_errno (error, "cannot tell the free space of %s", cache->dir);
  *out_free = (guint64) st.f_bavail * st.f_frsize;
  return TRUE;
}

gboolean
lm_cache_check_space (LmCache *cache, guint64 needed, GError **error)
{
  guint64 available = 0;
  if (!get_free (cache, &available, error))
    return FALSE;
  if (needed <= available)
    return TRUE;
  return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE,
                   "%s has %" G_GUINT64_FORMAT " bytes free, but %" G_GUINT64_FORMAT " are needed", cache->dir, available, needed);
}
