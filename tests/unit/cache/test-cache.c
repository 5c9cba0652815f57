/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/cache/fixture.h"
#include "tests/unit/lib/cancel.h"
#include "tests/unit/lib/unlock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static mode_t
mode_of (const char *dir, const char *name)
{
  struct stat st;
  g_autofree char *path = g_build_filename (dir, name, NULL);
  return stat (path, &st) == 0 ? st.st_mode & 07777 : 0;
}

/* A directory in which others can create files is not trusted. */
static void
test_trust (CacheFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *const names[] = { ".", "layers", "blobs", "verified", "partial" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (f->state, names[i], NULL);
      mode_t mode = mode_of (f->state, names[i]);
      g_assert_cmpint (chmod (path, 0777), ==, 0);
      g_assert_null (lm_cache_open (f->state, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
      g_clear_error (&error);
      g_assert_cmpint (chmod (path, mode), ==, 0);
      if (geteuid () != 0)
        continue;
      g_assert_cmpint (chown (path, 12345, 0), ==, 0);
      g_assert_null (lm_cache_open (f->state, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
      g_assert_nonnull (strstr (error->message, "12345"));
      g_clear_error (&error);
      g_assert_cmpint (chown (path, 0, 0), ==, 0);
    }
  g_autoptr (LmCache) cache = lm_cache_open (f->state, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (cache);
}

/* The state directory can be reached regardless of the umask; of its parents, only
 * those created by root are opened for QEMU's user. */
static void
test_umask (CacheFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *state = g_build_filename (f->dir, "a", "b", "state", NULL);
  mode_t before = umask (0077);
  g_autoptr (LmCache) cache = lm_cache_open (state, NULL, &error);
  umask (before);
  g_assert_no_error (error);
  g_assert_nonnull (cache);
  g_assert_cmpint (mode_of (f->dir, "a/b/state"), ==, 0755);
  g_assert_cmpint (mode_of (f->dir, "a"), ==, geteuid () == 0 ? 0755 : 0700);
  g_assert_cmpint (mode_of (f->dir, "a/b"), ==, geteuid () == 0 ? 0755 : 0700);
}

static guint
count_files (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GDir) open = g_dir_open (path, 0, NULL);
  guint count = 0;
  while (g_dir_read_name (open) != NULL)
    count++;
  return count;
}

/* Returns the number of files in partial/ except the lock table. */
static guint
count_parts (CacheFixture *f)
{
  g_autofree char *lock = g_build_filename (f->state, "partial", "lock", NULL);
  return count_files (f->state, "partial") - g_file_test (lock, G_FILE_TEST_EXISTS);
}

static void
test_modes (CacheFixture *f, gconstpointer data)
{
  g_assert_cmpuint (mode_of (f->state, ""), ==, 0755);
  g_assert_cmpuint (mode_of (f->state, "layers"), ==, 0755);
  g_assert_cmpuint (mode_of (f->state, "blobs"), ==, 0755);
  g_assert_cmpuint (mode_of (f->state, "partial"), ==, 0700);
  /* Regardless of the umask; an existing directory is not changed. */
  g_autofree char *other = g_build_filename (f->dir, "other", NULL);
  mode_t before = umask (077);
  g_autoptr (LmCache) strict = lm_cache_open (other, NULL, NULL);
  umask (before);
  g_assert_nonnull (strict);
  g_assert_cmpuint (mode_of (other, "layers"), ==, 0755);
  g_assert_cmpuint (mode_of (other, ""), ==, 0755);
  g_assert_cmpint (chmod (other, 0700), ==, 0);
  g_autoptr (LmCache) again = lm_cache_open (other, NULL, NULL);
  g_assert_nonnull (again);
  g_assert_cmpuint (mode_of (other, ""), ==, 0700);
}

static void
test_publish_and_list (CacheFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LmDigest digest = lm_digest_of_text ("one");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_LAYER, &digest);
  g_assert_cmpint (cache_check_kind (f->cache, LM_BLOB_LAYER, &digest), ==, LM_CACHE_MISSING);
  g_assert_true (g_str_has_suffix (path, ".qcow2"));
  cache_put (f->cache, LM_BLOB_LAYER, "one");
  cache_put (f->cache, LM_BLOB_LAYER, "two");
  cache_put (f->cache, LM_BLOB_FILE, "three");
  g_assert_cmpint (cache_check_kind (f->cache, LM_BLOB_LAYER, &digest), ==, LM_CACHE_PRESENT);
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_MISSING);
  g_assert_cmpuint (mode_of (path, ""), ==, 0444);
  g_assert_cmpuint (count_parts (f), ==, 0);

  g_autofree char *junk = g_build_filename (f->state, "layers", "sha256-zz.qcow2", NULL);
  g_assert_true (g_file_set_contents (junk, "x", 1, NULL));
  g_autoptr (GPtrArray) entries = lm_cache_list (f->cache, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (entries->len, ==, 3);
  const LmCacheEntry *last = entries->pdata[2];
  g_assert_cmpint (last->kind, ==, LM_BLOB_FILE);
  g_assert_cmpuint (last->size, ==, 5);
  g_assert_cmpint (last->mtime, >, 1600000000);
}

static void
test_publish_twice (CacheFixture *f, gconstpointer data)
{
  cache_put (f->cache, LM_BLOB_FILE, "same");
  cache_put (f->cache, LM_BLOB_FILE, "same");
  g_assert_cmpuint (count_files (f->state, "blobs"), ==, 1);
  g_assert_cmpuint (count_parts (f), ==, 0);

  g_autoptr (GError) error = NULL;
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_MISSING);
  g_assert_true (g_file_set_contents (path, "something else", -1, NULL));
  cache_put (f->cache, LM_BLOB_FILE, "right");
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);

  /* Something that is not a file is not removed. */
  g_assert_cmpint (unlink (unlock_file (path)), ==, 0);
  g_assert_cmpint (mkdir (path, 0755), ==, 0);
  g_autoptr (LmPartial) partial = lm_partial_open (f->cache, &digest, NULL);
  g_assert_true (lm_partial_append (partial, "right", 5, NULL));
  g_assert_false (lm_partial_publish (partial, LM_BLOB_FILE, NULL, &error));
  g_assert_error (error, LM_CACHE_ERROR, LM_CACHE_ERROR_CONFLICT);
}

/* A lease protects a file from deletion, whether it exists or not; a deletion does
 * not make anybody wait. */
static void
test_lease (CacheFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  cache_put (f->cache, LM_BLOB_FILE, "one");
  cache_put (f->cache, LM_BLOB_FILE, "two");
  LmBlob one = { .kind = LM_BLOB_FILE, .digest = lm_digest_of_text ("one") };
  LmBlob two = { .kind = LM_BLOB_FILE, .digest = lm_digest_of_text ("two") };
  LmBlob none = { .kind = LM_BLOB_FILE, .digest = lm_digest_of_text ("none") };
  g_autoptr (GPtrArray) blobs = g_ptr_array_new ();
  g_ptr_array_add (blobs, &one);
  g_ptr_array_add (blobs, &none);
  g_autoptr (LmLock) lease = lm_cache_lease (f->cache, blobs, NULL, &error);
  g_autoptr (LmLock) again = lm_cache_lease (f->cache, blobs, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LmLock) store = lm_cache_lock (f->cache, LM_LOCK_EXCLUSIVE, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (lm_cache_remove (f->cache, store, LM_BLOB_FILE, &two.digest, &error));
  g_assert_no_error (error);
  g_assert_cmpint (cache_check (f->cache, &two.digest), ==, LM_CACHE_MISSING);
  for (int i = 0; i < 2; i++)
    {
      g_assert_false (lm_cache_remove (f->cache, store, LM_BLOB_FILE, i == 0 ? &one.digest : &none.digest, &error));
      g_assert_error (error, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY);
      g_clear_error (&error);
    }
  g_clear_pointer (&lease, lm_lock_release);
  g_assert_false (lm_cache_remove (f->cache, store, LM_BLOB_FILE, &one.digest, NULL));
  g_clear_pointer (&again, lm_lock_release);
  g_assert_true (lm_cache_remove (f->cache, store, LM_BLOB_FILE, &one.digest, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count_files (f->state, "verified"), ==, 0);
}

static void
test_busy (CacheFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LmDigest digest = lm_digest_of_text ("x");
  g_autoptr (LmPartial) one = lm_partial_open (f->cache, &digest, NULL);
  g_assert_null (lm_partial_open (f->cache, &digest, &error));
  g_assert_error (error, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY);
  g_clear_error (&error);
  g_clear_pointer (&one, lm_partial_close);
  g_autoptr (LmPartial) two = lm_partial_open (f->cache, &digest, &error);
  g_assert_no_error (error);
  g_assert_nonnull (two);
}

/* The data, and even a mode that was set too early, survive the writer. */
static void
test_resume (CacheFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LmDigest digest = lm_digest_of_text ("x");
  LmPartial *partial = lm_partial_open (f->cache, &digest, NULL);
  g_assert_true (lm_partial_append (partial, "abc", 3, NULL));
  g_assert_true (lm_partial_sync (partial, NULL));
  lm_partial_close (partial);

  guint64 size, held;
  lm_partial_stat (f->cache, &digest, &size, &held);
  g_assert_cmpuint (size, ==, 3);
  partial = lm_partial_open (f->cache, &digest, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lm_partial_get_size (partial), ==, 3);
  g_assert_true (lm_partial_append (partial, "def", 3, NULL));
  g_assert_cmpuint (lm_partial_get_size (partial), ==, 6);
  g_assert_true (lm_partial_truncate (partial, NULL));
  lm_partial_close (partial);
  g_assert_cmpuint (count_parts (f), ==, 0);
}

static void
test_reserve (CacheFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LmDigest digest = lm_digest_of_text ("x");
  LmPartial *partial = lm_partial_open (f->cache, &digest, NULL);
  g_assert_true (lm_partial_reserve (partial, 1 << 20, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (lm_partial_get_size (partial), ==, 0);
  guint64 size, held;
  lm_partial_stat (f->cache, &digest, &size, &held);
  g_assert_cmpuint (size, ==, 0);
  g_assert_cmpuint (held, >=, 1 << 20);

  g_setenv ("LAMINA_TEST_FREE", "1000", TRUE);
  g_assert_true (lm_partial_reserve (partial, 1 << 20, &error));
  g_assert_false (lm_partial_reserve (partial, 1 << 22, &error));
  g_assert_error (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE);
  g_assert_nonnull (strstr (error->message, " has 1000 B free, but 3.0 MiB are needed"));
  lm_partial_discard (partial);
  g_assert_cmpuint (count_parts (f), ==, 0);
}

static void
test_lock (CacheFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLock) one = lm_cache_lock (f->cache, LM_LOCK_SHARED, 0, NULL, &error);
  g_autoptr (LmLock) two = lm_cache_lock (f->cache, LM_LOCK_SHARED, 0, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (one != NULL && two != NULL);
  g_assert_null (lm_cache_lock (f->cache, LM_LOCK_EXCLUSIVE, 0, NULL, &error));
  g_assert_error (error, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY);
}

/* Waiting to publish or to lease can be cancelled; received data is kept. */
static void
test_cancelled (CacheFixture *f, gconstpointer data)
{
  LmBlob blob = { .kind = LM_BLOB_FILE, .digest = lm_digest_of_text ("x") };
  g_autoptr (GPtrArray) blobs = g_ptr_array_new ();
  g_ptr_array_add (blobs, &blob);
  g_autofree char *path = g_build_filename (f->state, "leases", NULL);
  LmLock *held[] = { lm_cache_lock (f->cache, LM_LOCK_EXCLUSIVE, 0, NULL, NULL), lm_lock_table_open (path, NULL) };
  g_assert_true (lm_lock_table_lock (held[1], lm_digest_get_number (&blob.digest), LM_LOCK_EXCLUSIVE, 0, NULL, NULL));
  g_autoptr (LmPartial) partial = lm_partial_open (f->cache, &blob.digest, NULL);
  g_assert_true (lm_partial_append (partial, "x", 1, NULL));
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      gint64 begin = g_get_monotonic_time ();
      GThread *thread = cancel_after (cancellable, 100);
      if (i == 0)
        g_assert_false (lm_partial_publish (partial, LM_BLOB_FILE, cancellable, &error));
      else
        g_assert_null (lm_cache_lease (f->cache, blobs, cancellable, &error));
      g_thread_join (thread);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmpint (g_get_monotonic_time () - begin, <, LM_CACHE_LOCK_MS * 1000 / 2);
      lm_lock_release (held[i]);
    }
  g_assert_true (lm_partial_publish (partial, LM_BLOB_FILE, NULL, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/cache/modes", CacheFixture, NULL, cache_fixture_set_up, test_modes, cache_fixture_tear_down);
  g_test_add ("/cache/trust", CacheFixture, NULL, cache_fixture_set_up, test_trust, cache_fixture_tear_down);
  g_test_add ("/cache/umask", CacheFixture, NULL, cache_fixture_set_up, test_umask, cache_fixture_tear_down);
  g_test_add ("/cache/publish-and-list", CacheFixture, NULL, cache_fixture_set_up, test_publish_and_list, cache_fixture_tear_down);
  g_test_add ("/cache/publish-twice", CacheFixture, NULL, cache_fixture_set_up, test_publish_twice, cache_fixture_tear_down);
  g_test_add ("/cache/lease", CacheFixture, NULL, cache_fixture_set_up, test_lease, cache_fixture_tear_down);
  g_test_add ("/cache/busy", CacheFixture, NULL, cache_fixture_set_up, test_busy, cache_fixture_tear_down);
  g_test_add ("/cache/resume", CacheFixture, NULL, cache_fixture_set_up, test_resume, cache_fixture_tear_down);
  g_test_add ("/cache/reserve", CacheFixture, NULL, cache_fixture_set_up, test_reserve, cache_fixture_tear_down);
  g_test_add ("/cache/lock", CacheFixture, NULL, cache_fixture_set_up, test_lock, cache_fixture_tear_down);
  g_test_add ("/cache/cancelled", CacheFixture, NULL, cache_fixture_set_up, test_cancelled, cache_fixture_tear_down);
  return g_test_run ();
}
