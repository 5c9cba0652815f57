/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/cache/fixture.h"
#include "tests/unit/lib/unlock.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Makes every attempt to read a file fail. */
static void
forbid_reading (gboolean forbidden)
{
  if (forbidden)
    g_setenv ("LAMINA_TEST_FAULT", "verify-after-read=eio", TRUE);
  else
    g_unsetenv ("LAMINA_TEST_FAULT");
}

/* Checks the file as a later run does. */
static LmCacheState
check_later (CacheFixture *f, const LmDigest *digest)
{
  g_autoptr (LmCache) cache = lm_cache_open (f->state, NULL, NULL);
  return cache_check (cache, digest);
}

/* Sets the times of the file so that any later change shows. */
static void
set_past (const char *path, time_t seconds)
{
  const struct timespec past[] = { { 1, 0 }, { seconds, 0 } };
  g_assert_cmpint (utimensat (AT_FDCWD, unlock_file (path), past, 0), ==, 0);
}

/* Changes the contents and restores the time of modification. */
static void
change_unseen (const char *path, const char *text)
{
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  const struct timespec times[] = { st.st_atim, st.st_mtim };
  cache_change (path, text);
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
}

/* The name of a file does not prove its contents. */
static void
test_check (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  g_autofree char *noted = g_build_filename (f->state, "verified", strrchr (path, '/') + 1, NULL);
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_MISSING);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);

  /* Truncated, extended, overwritten, replaced; each checked twice, because the result is kept. */
  for (int i = 0; i < 8; i++)
    {
      if (i / 2 < 2)
        g_assert_cmpint (truncate (unlock_file (path), i / 2 == 0 ? 3 : 6), ==, 0);
      else if (i / 2 == 2)
        cache_change (path, "wrong");
      else
        g_assert_true (g_file_set_contents (unlock_file (path), "wrong", -1, NULL));
      if (i % 2 == 1)
        (void) !unlink (noted);
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
      cache_put (f->cache, LM_BLOB_FILE, "right");
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
    }

  /* Copied together with its directory, or with an invalid note: the digest
   * decides, and the note is written again. */
  set_past (path, 1);
  static const char *const notes[] = { NULL, "", "nonsense", "000000000000000000005 0 0\n",
                                       "00000000000000000005 00000000001000000000 00000000000000000007\n",
                                       "more than is ever written, so that something of it remains after the new note\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (notes); i++)
    {
      g_assert_cmpint (unlink (noted), ==, 0);
      g_assert_true (notes[i] == NULL || g_file_set_contents (noted, notes[i], -1, NULL));
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
      struct stat st;
      g_assert_cmpint (stat (noted, &st), ==, 0);
      g_assert_cmpint (st.st_size, ==, 105);
    }
}

/* A file that nobody touched is not read again. If only its inode was changed, it is read once. */
static void
test_unchanged (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  forbid_reading (TRUE);
  g_assert_cmpint (check_later (f, &digest), ==, LM_CACHE_PRESENT);
  forbid_reading (FALSE);
  set_past (path, 1);
  for (int i = 0; i < 3; i++)
    {
      g_assert_cmpint (check_later (f, &digest), ==, LM_CACHE_PRESENT);
      forbid_reading (TRUE);
      g_assert_cmpint (check_later (f, &digest), ==, LM_CACHE_PRESENT);
      forbid_reading (FALSE);
      g_assert_cmpint (i == 0 ? chmod (unlock_file (path), 0644) : chmod (unlock_file (path), 0444), ==, 0);
    }
  change_unseen (path, "wrong");
  g_assert_cmpint (check_later (f, &digest), ==, LM_CACHE_DAMAGED);
}

/* libvirt gives backing files to QEMU's user, who could change them. Each time, the file
 * is read once, by the first run that may take it back. */
static void
test_owner (CacheFixture *f, gconstpointer data)
{
  if (geteuid () != 0)
    {
      g_test_skip ("needs root");
      return;
    }
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  set_past (path, 1);
  for (int i = 0; i < 2; i++)
    {
      struct stat st;
      g_assert_cmpint (chown (unlock_file (path), 12345, 12345), ==, 0);
      g_assert_cmpint (check_later (f, &digest), ==, LM_CACHE_PRESENT);
      g_assert_cmpint (stat (path, &st), ==, 0);
      g_assert_cmpuint (st.st_uid, ==, 0);
      g_assert_cmpuint (st.st_mode & 07777, ==, 0444);
      forbid_reading (TRUE);
      g_assert_cmpint (check_later (f, &digest), ==, LM_CACHE_PRESENT);
      forbid_reading (FALSE);
    }
  g_assert_cmpint (chown (unlock_file (path), 12345, 12345), ==, 0);
  change_unseen (path, "wrong");
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
}

/* A file that was read while QEMU's user owned it is not read again by the same run when
 * it is taken back, but by the next one, because its owner could have hidden a change. */
static void
test_owner_later (CacheFixture *f, gconstpointer data)
{
  if (geteuid () != 0)
    {
      g_test_skip ("needs root");
      return;
    }
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  g_autofree char *noted = g_build_filename (f->state, "verified", strrchr (path, '/') + 1, NULL);
  g_autoptr (LmFindings) findings = lm_findings_new ();
  const LmCacheOptions options = { .findings = findings };
  g_autoptr (LmCache) readonly = lm_cache_open_readonly (f->state, &options, NULL);
  g_autoptr (LmCache) writable = lm_cache_open (f->state, &options, NULL);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  set_past (path, 1);
  g_assert_cmpint (unlink (noted), ==, 0);
  g_assert_cmpint (chown (path, 12345, 12345), ==, 0);
  g_assert_cmpint (cache_check (readonly, &digest), ==, LM_CACHE_PRESENT);
  forbid_reading (TRUE);
  g_assert_cmpint (cache_check (readonly, &digest), ==, LM_CACHE_PRESENT);
  g_assert_cmpint (cache_check (writable, &digest), ==, LM_CACHE_PRESENT);
  forbid_reading (FALSE);
  g_assert_false (g_file_test (noted, G_FILE_TEST_EXISTS));
}

/* Creates a child process that checks @digest and stops when it has read the file. */
static pid_t
begin_to_check (CacheFixture *f, const LmDigest *digest)
{
  pid_t child = fork ();
  if (child == 0)
    {
      g_setenv ("LAMINA_TEST_FAULT", "verify-after-read=stop", TRUE);
      const LmBlob blob = { .kind = LM_BLOB_FILE, .digest = *digest };
      LmCacheState state;
      g_autoptr (GError) error = NULL;
      _exit (lm_cache_check (f->cache, &blob, &state, NULL, &error) ? (int) state
             : g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BUSY) ? 100 : 101);
    }
  return child;
}

/* A file that is changed while it is being read is read again. */
static void
test_changed_meanwhile (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  g_autofree char *noted = g_build_filename (f->state, "verified", strrchr (path, '/') + 1, NULL);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  for (int changes = 1; changes <= 4; changes++)
    {
      cache_change (path, "right");
      set_past (path, 1);
      (void) !unlink (noted);
      pid_t child = begin_to_check (f, &digest);
      int status;
      for (int stops = 1; waitpid (child, &status, WUNTRACED) == child && WIFSTOPPED (status); stops++)
        {
          const struct timespec times[] = { { 1, 0 }, { 1 + stops, 0 } };
          if (stops <= changes)
            cache_change (path, "wrong");
          if (stops <= changes)
            g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
          g_assert_cmpint (kill (child, SIGCONT), ==, 0);
        }
      g_assert_true (WIFEXITED (status));
      g_assert_cmpint (WEXITSTATUS (status), ==, changes < 3 ? LM_CACHE_DAMAGED : 100);
      g_assert_false (g_file_test (noted, G_FILE_TEST_EXISTS));
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
    }
}

/* If a file was changed just now, another change may have the same time, so the
 * result is not kept for later runs. */
static void
test_changed_just_now (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  g_autofree char *noted = g_build_filename (f->state, "verified", strrchr (path, '/') + 1, NULL);
  g_assert_true (g_file_set_contents (path, "right", -1, NULL));
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
  g_assert_false (g_file_test (noted, G_FILE_TEST_EXISTS));

  /* The time at which reading began counts; here reading takes longer. */
  g_assert_true (g_file_set_contents (unlock_file (path), "right", -1, NULL));
  pid_t child = begin_to_check (f, &digest);
  int status;
  g_assert_cmpint (waitpid (child, &status, WUNTRACED), ==, child);
  g_usleep (2100 * 1000);
  g_assert_cmpint (kill (child, SIGCONT), ==, 0);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (WEXITSTATUS (status), ==, LM_CACHE_PRESENT);
  g_assert_false (g_file_test (noted, G_FILE_TEST_EXISTS));
  set_past (path, 1);
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
  g_assert_true (g_file_test (noted, G_FILE_TEST_EXISTS));
}

/* The data is verified before it is written, so the file may contain other data afterwards. */
static void
test_disturbed (CacheFixture *f, gconstpointer data)
{
  static const struct
  {
    const char *in_between; /* between two writes; otherwise after them */
    gboolean good;
  } cases[] = { { "wro", FALSE }, { NULL, FALSE }, { "rig", TRUE }, { NULL, TRUE } };
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const struct timespec later[] = { { 1, 0 }, { 2, 0 } };
      g_autoptr (GError) error = NULL;
      g_autoptr (LmPartial) partial = lm_partial_open (f->cache, &digest, NULL);
      g_assert_true (lm_partial_append (partial, "rig", 3, NULL));
      if (cases[i].in_between != NULL)
        cache_change (lm_partial_get_path (partial), cases[i].in_between);
      if (cases[i].in_between != NULL)
        g_assert_cmpint (utimensat (AT_FDCWD, lm_partial_get_path (partial), later, 0), ==, 0);
      g_assert_true (lm_partial_append (partial, "ht", 2, NULL));
      g_assert_true (lm_partial_sync (partial, NULL));
      if (cases[i].in_between == NULL)
        {
          cache_change (lm_partial_get_path (partial), cases[i].good ? "right" : "wrong");
          g_assert_cmpint (utimensat (AT_FDCWD, lm_partial_get_path (partial), later, 0), ==, 0);
        }
      g_assert_true (lm_partial_publish (partial, LM_BLOB_FILE, NULL, &error) == cases[i].good);
      g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS) == cases[i].good);
      if (!cases[i].good)
        {
          g_assert_error (error, LM_CACHE_ERROR, LM_CACHE_ERROR_CONFLICT);
          lm_partial_discard (g_steal_pointer (&partial));
          continue;
        }
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
      g_assert_cmpint (unlink (unlock_file (path)), ==, 0);
    }
}

/* A run reads each file once, whether it can note the result or not. */
static void
test_read_once (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  g_autofree char *noted = g_build_filename (f->state, "verified", strrchr (path, '/') + 1, NULL);
  for (guint i = 0; i < 4; i++)
    {
      gboolean good = i % 2 == 0, writable = i < 2;
      g_autoptr (LmFindings) findings = lm_findings_new ();
      const LmCacheOptions options = { .findings = findings };
      g_autoptr (LmCache) first = lm_cache_open_readonly (f->state, &options, NULL);
      g_autoptr (LmCache) second = lm_cache_open (f->state, &options, NULL);
      /* A note cannot be written if a directory has its name. */
      g_assert_true (writable || g_mkdir_with_parents (noted, 0755) == 0);
      g_assert_true (g_file_set_contents (unlock_file (path), good ? "right" : "wrong", -1, NULL));
      set_past (path, 1 + i);
      LmCacheState expected = good ? LM_CACHE_PRESENT : LM_CACHE_DAMAGED;
      g_assert_cmpint (cache_check (first, &digest), ==, expected);
      forbid_reading (TRUE);
      g_assert_cmpint (cache_check (first, &digest), ==, expected);
      g_assert_cmpint (cache_check (second, &digest), ==, expected);
      /* A later run knows the result only if it could be noted. */
      const LmBlob blob = { .kind = LM_BLOB_FILE, .digest = digest };
      LmCacheState state;
      g_assert_true (lm_cache_check (f->cache, &blob, &state, NULL, NULL) == (good && writable));
      forbid_reading (FALSE);
      (void) !unlink (noted);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/verify/check", CacheFixture, NULL, cache_fixture_set_up, test_check, cache_fixture_tear_down);
  g_test_add ("/verify/unchanged", CacheFixture, NULL, cache_fixture_set_up, test_unchanged, cache_fixture_tear_down);
  g_test_add ("/verify/owner", CacheFixture, NULL, cache_fixture_set_up, test_owner, cache_fixture_tear_down);
  g_test_add ("/verify/owner-later", CacheFixture, NULL, cache_fixture_set_up, test_owner_later, cache_fixture_tear_down);
  g_test_add ("/verify/changed-meanwhile", CacheFixture, NULL, cache_fixture_set_up, test_changed_meanwhile, cache_fixture_tear_down);
  g_test_add ("/verify/changed-just-now", CacheFixture, NULL, cache_fixture_set_up, test_changed_just_now, cache_fixture_tear_down);
  g_test_add ("/verify/disturbed", CacheFixture, NULL, cache_fixture_set_up, test_disturbed, cache_fixture_tear_down);
  g_test_add ("/verify/read-once", CacheFixture, NULL, cache_fixture_set_up, test_read_once, cache_fixture_tear_down);
  return g_test_run ();
}
