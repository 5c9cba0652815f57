/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/state-dir.h"
#include "base/testenv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-cache-error-quark, lm_cache_error)

struct _LmCache
{
  LmStateDir *state;
  LmStateDir *dirs[LM_BLOB_N_KINDS];
  LmStateDir *partial;
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

/* Takes @state, which may be NULL, over. Who only reads has no business in
 * partial/, and may have no right to it. */
static LmCache *
open_in (LmStateDir *state, gboolean with_partial, GError **error)
{
  if (state == NULL)
    return NULL;
  g_autoptr (LmCache) cache = g_new0 (LmCache, 1);
  cache->state = state;
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      cache->dirs[i] = lm_state_dir_open_below (state, kinds[i].dir, 0755, error);
      if (cache->dirs[i] == NULL)
        return NULL;
    }
  if (with_partial)
    cache->partial = lm_state_dir_open_below (state, "partial", 0700, error);
  return !with_partial || cache->partial != NULL ? g_steal_pointer (&cache) : NULL;
}

LmCache *
lm_cache_open (const char *state_dir, GError **error)
{
  return open_in (lm_state_dir_open (state_dir, error), TRUE, error);
}

LmCache *
lm_cache_open_readonly (const char *state_dir, GError **error)
{
  return open_in (lm_state_dir_open_readonly (state_dir, error), FALSE, error);
}

void
lm_cache_close (LmCache *cache)
{
  if (cache == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    lm_state_dir_close (cache->dirs[i]);
  lm_state_dir_close (cache->partial);
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
lm_cache_relative_path (LmBlobKind kind, const LmDigest *digest)
{
  g_autofree char *name = lm_digest_file_name (digest, kinds[kind].suffix);
  return g_build_filename (kinds[kind].dir, name, NULL);
}

char *
lm_cache_get_path (LmCache *cache, LmBlobKind kind, const LmDigest *digest)
{
  g_autofree char *relative = lm_cache_relative_path (kind, digest);
  return g_build_filename (lm_cache_get_dir (cache), relative, NULL);
}

gboolean
lm_cache_has (LmCache *cache, LmBlobKind kind, const LmDigest *digest)
{
  g_autofree char *relative = lm_cache_relative_path (kind, digest);
  struct stat st;
  return fstatat (lm_cache_get_fd (cache), relative, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG (st.st_mode);
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
      entry->path = lm_cache_get_path (cache, kind, &digest);
      g_ptr_array_add (entries, entry);
    }
  return names != NULL;
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
  g_autofree char *path = g_build_filename (lm_cache_get_dir (cache), "lock", NULL);
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
  if (fstatvfs (lm_cache_get_fd (cache), &st) < 0)
    return lm_throw_errno (error, "cannot tell the free space of %s", lm_cache_get_dir (cache));
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
                   "%s has %" G_GUINT64_FORMAT " bytes free, but %" G_GUINT64_FORMAT " are needed", lm_cache_get_dir (cache), available, needed);
}
