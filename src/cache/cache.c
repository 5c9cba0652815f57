/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
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
  [LM_PLAN_LAYER] = { "layers", ".qcow2" },
  [LM_PLAN_BLOB] = { "blobs", NULL },
};

void
lm_cache_entry_free (LmCacheEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->path);
  g_free (entry);
}

/* Makes the directory @name with exactly @mode, whatever the umask; one that
 * is there already keeps its mode. */
static gboolean
make_dir_at (int dir_fd, const char *name, mode_t mode, GError **error)
{
  if (mkdirat (dir_fd, name, mode) == 0)
    {
      if (fchmodat (dir_fd, name, mode, 0) == 0)
        return TRUE;
    }
  else if (errno == EEXIST)
    return TRUE;
  return lm_throw_errno (error, "cannot make directory %s", name);
}

/* What lies in a directory is believed; so nobody but its user and root may put
 * anything there. */
static gboolean
check_owner (int dir_fd, const char *name, GError **error)
{
  struct stat st;
  if (fstatat (dir_fd, name, &st, 0) < 0)
    return lm_throw_errno (error, "cannot stat %s", name);
  if (st.st_uid != geteuid () && st.st_uid != 0)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                     "%s belongs to user %u, whose files are not to be trusted; use another --state-dir", name,
                     (guint) st.st_uid);
  if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                     "everybody can write to %s, so what is in it is not to be trusted; \"chmod o-w\" it, empty", name);
  return TRUE;
}

gboolean
lm_cache_make_dir (const char *state_dir, GError **error)
{
  g_autofree char *dir = g_canonicalize_filename (state_dir, NULL);
  if (!g_file_test (dir, G_FILE_TEST_IS_DIR))
    {
      g_autofree char *parent = g_path_get_dirname (dir);
      gboolean made = geteuid () == 0 ? lm_file_make_dir (parent, 0755, error)
                                      : g_mkdir_with_parents (parent, 0777) == 0
                                          || lm_throw_errno (error, "cannot make directory %s", parent);
      if (!made || !make_dir_at (AT_FDCWD, dir, 0755, error))
        return FALSE;
    }
  return check_owner (AT_FDCWD, dir, error);
}

LmCache *
lm_cache_open (const char *state_dir, GError **error)
{
  g_autoptr (LmCache) cache = g_new0 (LmCache, 1);
  cache->fd = -1;
  cache->dir = g_canonicalize_filename (state_dir, NULL);
  if (!lm_cache_make_dir (cache->dir, error))
    return NULL;
  cache->fd = open (cache->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cache->fd < 0)
    return lm_throw_errno_null (error, "cannot open %s", cache->dir);
  if (!make_dir_at (cache->fd, kinds[LM_PLAN_LAYER].dir, 0755, error)
      || !make_dir_at (cache->fd, kinds[LM_PLAN_BLOB].dir, 0755, error) || !make_dir_at (cache->fd, "partial", 0700, error)
      || !check_owner (cache->fd, kinds[LM_PLAN_LAYER].dir, error) || !check_owner (cache->fd, kinds[LM_PLAN_BLOB].dir, error)
      || !check_owner (cache->fd, "partial", error))
    {
      g_prefix_error (error, "%s: ", cache->dir);
      return NULL;
    }
  return g_steal_pointer (&cache);
}

LmCache *
lm_cache_look (const char *state_dir, GError **error)
{
  g_autoptr (LmCache) cache = g_new0 (LmCache, 1);
  cache->dir = g_canonicalize_filename (state_dir, NULL);
  cache->fd = open (cache->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cache->fd < 0 && errno != ENOENT)
    return lm_throw_errno_null (error, "cannot open %s", cache->dir);
  if (cache->fd < 0)
    return g_steal_pointer (&cache);
  if (!check_owner (AT_FDCWD, cache->dir, error))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (faccessat (cache->fd, kinds[i].dir, F_OK, 0) == 0 && !check_owner (cache->fd, kinds[i].dir, error))
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
lm_cache_relative_path (LmPlanKind kind, const LmDigest *digest)
{
  g_autofree char *name = lm_digest_file_name (digest, kinds[kind].suffix);
  return g_build_filename (kinds[kind].dir, name, NULL);
}

static char *
make_path (LmCache *cache, LmPlanKind kind, const LmDigest *digest)
{
  g_autofree char *relative = lm_cache_relative_path (kind, digest);
  return g_build_filename (cache->dir, relative, NULL);
}

gboolean
lm_cache_has (LmCache *cache, LmPlanKind kind, const LmDigest *digest)
{
  g_autofree char *relative = lm_cache_relative_path (kind, digest);
  struct stat st;
  return fstatat (cache->fd, relative, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG (st.st_mode);
}

gboolean
lm_cache_lookup (gpointer cache, LmPlanKind kind, const LmDigest *digest, char **out_path)
{
  *out_path = make_path (cache, kind, digest);
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
list_kind (LmCache *cache, LmPlanKind kind, GPtrArray *entries, GError **error)
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
      entry->path = make_path (cache, kind, &digest);
      g_ptr_array_add (entries, entry);
    }
  closedir (dir);
  return TRUE;
}

GPtrArray *
lm_cache_list (LmCache *cache, GError **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_cache_entry_free);
  if (!list_kind (cache, LM_PLAN_LAYER, entries, error) || !list_kind (cache, LM_PLAN_BLOB, entries, error))
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
