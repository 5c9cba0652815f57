/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/cache/fixture.h"
#include "tests/unit/lib/unlock.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>

void
cache_fixture_set_up (CacheFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("lm-cache-XXXXXX", NULL);
  f->state = g_build_filename (f->dir, "deep", "state", NULL);
  f->cache = lm_cache_open (f->state, NULL, &error);
  g_assert_no_error (error);
}

void
cache_fixture_tear_down (CacheFixture *f, gconstpointer data)
{
  g_unsetenv ("LAMINA_TEST_FREE");
  g_unsetenv ("LAMINA_TEST_FAULT");
  lm_cache_close (f->cache);
  g_assert_true (lm_file_remove_tree (unlock_tree (f->dir), NULL));
  g_free (f->dir);
  g_free (f->state);
}

LmCacheState
cache_check_kind (LmCache *cache, LmBlobKind kind, const LmDigest *digest)
{
  g_autoptr (GError) error = NULL;
  const LmBlob blob = { .kind = kind, .digest = *digest };
  LmCacheState state;
  g_assert_true (lm_cache_check (cache, &blob, &state, NULL, &error));
  g_assert_no_error (error);
  return state;
}

LmCacheState
cache_check (LmCache *cache, const LmDigest *digest)
{
  return cache_check_kind (cache, LM_BLOB_FILE, digest);
}

void
cache_put (LmCache *cache, LmBlobKind kind, const char *text)
{
  g_autoptr (GError) error = NULL;
  LmDigest digest = lm_digest_of_text (text);
  g_autoptr (LmPartial) partial = lm_partial_open (cache, &digest, &error);
  g_assert_no_error (error);
  g_assert_true (lm_partial_append (partial, text, strlen (text), &error));
  g_assert_true (lm_partial_sync (partial, &error));
  g_assert_true (lm_partial_publish (partial, kind, NULL, &error));
  g_assert_no_error (error);
}

void
cache_change (const char *path, const char *text)
{
  FILE *file = fopen (unlock_file (path), "r+");
  g_assert_cmpuint (fwrite (text, 1, strlen (text), file), ==, strlen (text));
  g_assert_cmpint (fclose (file), ==, 0);
}
