/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/fd.h"
#include "base/immutable.h"
#include "cache/quarantine.h"
#include "tests/unit/cache/fixture.h"
#include "tests/unit/lib/unlock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Skips the test if the flag cannot be set here. */
static gboolean
have_flag (CacheFixture *f)
{
  g_autofree char *path = g_build_filename (f->dir, "probe", NULL);
  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
  int fd = open (path, O_RDONLY);
  gboolean have = lm_immutable_set (fd, TRUE) && lm_immutable_set (fd, FALSE);
  g_assert_cmpint (close (fd), ==, 0);
  if (!have)
    g_test_skip ("needs root and a file system with the immutable flag");
  return have;
}

static LmImmutable
flag_of (CacheFixture *f, const LmDigest *digest)
{
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, digest);
  return lm_immutable_get (AT_FDCWD, path);
}

/* Checks the file as a later run does; it must not read the file. */
static LmCacheState
check_unread (CacheFixture *f, const LmCacheOptions *options, const LmDigest *digest)
{
  g_autoptr (LmCache) cache = lm_cache_open (f->state, options, NULL);
  g_setenv ("LAMINA_TEST_FAULT", "verify-after-read=eio", TRUE);
  LmCacheState state = cache_check (cache, digest);
  g_unsetenv ("LAMINA_TEST_FAULT");
  return state;
}

/* A published file has the flag, so libvirt cannot change its owner. If it was lifted by
 * hand, the next run that may write sets it again. */
static void
test_flag (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  if (!have_flag (f))
    return;
  cache_put (f->cache, LM_BLOB_FILE, "right");
  g_assert_cmpint (flag_of (f, &digest), ==, LM_IMMUTABLE_YES);
  g_assert_cmpint (check_unread (f, NULL, &digest), ==, LM_CACHE_PRESENT);
  g_assert_cmpint (chown (path, 12345, 12345), ==, -1);
  g_assert_cmpint (errno, ==, EPERM);
  g_assert_cmpint (unlink (path), ==, -1);
  g_assert_cmpint (errno, ==, EPERM);

  unlock_file (path);
  g_autoptr (LmCache) readonly = lm_cache_open_readonly (f->state, NULL, NULL);
  g_assert_cmpint (cache_check (readonly, &digest), ==, LM_CACHE_PRESENT);
  g_assert_cmpint (flag_of (f, &digest), ==, LM_IMMUTABLE_NO);
  g_autoptr (LmCache) later = lm_cache_open (f->state, NULL, NULL);
  g_assert_cmpint (cache_check (later, &digest), ==, LM_CACHE_PRESENT);
  g_assert_cmpint (flag_of (f, &digest), ==, LM_IMMUTABLE_YES);
}

/* The setting turns it off. A file without the flag gets it from a run that has the
 * setting on, without being read. */
static void
test_without_flag (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  const LmCacheOptions off = { .without_flag = TRUE };
  g_autoptr (LmCache) cache = lm_cache_open (f->state, &off, NULL);
  if (!have_flag (f))
    return;
  cache_put (cache, LM_BLOB_FILE, "right");
  g_assert_cmpint (check_unread (f, &off, &digest), ==, LM_CACHE_PRESENT);
  g_assert_cmpint (flag_of (f, &digest), ==, LM_IMMUTABLE_NO);
  for (int i = 0; i < 2; i++)
    {
      g_assert_cmpint (check_unread (f, NULL, &digest), ==, LM_CACHE_PRESENT);
      g_assert_cmpint (flag_of (f, &digest), ==, LM_IMMUTABLE_YES);
    }
}

/* lamina itself deletes and replaces such files. */
static void
test_lift (CacheFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  if (!have_flag (f))
    return;
  cache_put (f->cache, LM_BLOB_FILE, "right");
  cache_change (path, "wrong");
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
  g_assert_cmpint (flag_of (f, &digest), ==, LM_IMMUTABLE_YES);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  g_assert_cmpint (flag_of (f, &digest), ==, LM_IMMUTABLE_YES);
  g_assert_cmpint (check_unread (f, NULL, &digest), ==, LM_CACHE_PRESENT);
  g_autoptr (LmLock) lock = lm_cache_lock (f->cache, LM_LOCK_EXCLUSIVE, 0, NULL, NULL);
  g_assert_true (lm_cache_remove (f->cache, lock, LM_BLOB_FILE, &digest, &error));
  g_assert_no_error (error);
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_MISSING);
}

/* Publishes, or else removes, in a process that is killed at the fault point. */
static void
be_killed (CacheFixture *f, const char *fault, const LmDigest *remove)
{
  pid_t child = fork ();
  int status;
  if (child == 0)
    {
      g_setenv ("LAMINA_TEST_FAULT", fault, TRUE);
      g_autoptr (LmLock) lock = remove != NULL ? lm_cache_lock (f->cache, LM_LOCK_EXCLUSIVE, 0, NULL, NULL) : NULL;
      if (remove == NULL)
        cache_put (f->cache, LM_BLOB_FILE, "right");
      _exit (remove != NULL && lm_cache_remove (f->cache, lock, LM_BLOB_FILE, remove, NULL) ? 0 : 1);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
}

/* Removes the file, or else moves it to the quarantine, if it is damaged. */
static gboolean
take_away (CacheFixture *f, const LmDigest *digest, gboolean remove)
{
  const LmBlob blob = { .kind = LM_BLOB_FILE, .digest = *digest };
  g_autofree char *path = NULL;
  if (!remove)
    return lm_quarantine_move (f->cache, &blob, &path, NULL, NULL, NULL) && path != NULL;
  g_autoptr (LmLock) lock = lm_cache_lock (f->cache, LM_LOCK_EXCLUSIVE, 0, NULL, NULL);
  return lm_cache_remove (f->cache, lock, LM_BLOB_FILE, digest, NULL);
}

/* Another process verifies the file, and so sets the flag, just after it was lifted. */
static void
test_race (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  if (!have_flag (f))
    return;
  for (guint remove = 0; remove < 2; remove++)
    {
      cache_put (f->cache, LM_BLOB_FILE, "right");
      cache_change (path, "wrong");
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
      pid_t child = fork ();
      if (child == 0)
        {
          g_setenv ("LAMINA_TEST_FAULT", "flag-after-lift=stop", TRUE);
          _exit (take_away (f, &digest, remove) ? 0 : 1);
        }
      int status;
      for (guint stops = 0; waitpid (child, &status, WUNTRACED) == child && WIFSTOPPED (status); stops++)
        {
          lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
          g_assert_true (stops > 1 || lm_immutable_set (fd, TRUE));
          g_assert_cmpint (kill (child, SIGCONT), ==, 0);
        }
      g_assert_true (WIFEXITED (status));
      g_assert_cmpint (WEXITSTATUS (status), ==, 0);
      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
    }
}

static void
test_killed (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  if (!have_flag (f))
    return;
  static const char *const faults[] = { "publish-after-rename=kill", "flag-before-note=kill", "part-after-publish=kill" };
  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      be_killed (f, faults[i], NULL);
      g_assert_cmpint (flag_of (f, &digest), ==, i == 0 ? LM_IMMUTABLE_NO : LM_IMMUTABLE_YES);
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
      g_assert_cmpint (flag_of (f, &digest), ==, LM_IMMUTABLE_YES);
      be_killed (f, "flag-after-lift=kill", &digest);
      g_assert_cmpint (flag_of (f, &digest), ==, LM_IMMUTABLE_NO);
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
      g_assert_cmpint (flag_of (f, &digest), ==, LM_IMMUTABLE_YES);
      g_assert_cmpint (unlink (unlock_file (path)), ==, 0);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/guard/flag", CacheFixture, NULL, cache_fixture_set_up, test_flag, cache_fixture_tear_down);
  g_test_add ("/guard/without-flag", CacheFixture, NULL, cache_fixture_set_up, test_without_flag, cache_fixture_tear_down);
  g_test_add ("/guard/lift", CacheFixture, NULL, cache_fixture_set_up, test_lift, cache_fixture_tear_down);
  g_test_add ("/guard/race", CacheFixture, NULL, cache_fixture_set_up, test_race, cache_fixture_tear_down);
  g_test_add ("/guard/killed", CacheFixture, NULL, cache_fixture_set_up, test_killed, cache_fixture_tear_down);
  return g_test_run ();
}
