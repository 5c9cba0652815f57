/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/cache/fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
        g_assert_cmpint (truncate (path, i / 2 == 0 ? 3 : 6), ==, 0);
      else if (i / 2 == 2)
        cache_change (path, "wrong");
      else
        g_assert_true (g_file_set_contents (path, "wrong", -1, NULL));
      if (i % 2 == 1)
        (void) !unlink (noted);
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
      cache_put (f->cache, LM_BLOB_FILE, "right");
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
    }

  /* Copied together with its directory, or with an invalid note: the digest
   * decides, and the note is written again. */
  const struct timespec past[] = { { 1, 0 }, { 1, 0 } };
  g_assert_cmpint (utimensat (AT_FDCWD, path, past, 0), ==, 0);
  static const char *const notes[] = { NULL, "", "nonsense", "000000000000000000005 0 0\n",
                                       "more than is ever written, so that something of it remains after the new note\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (notes); i++)
    {
      g_assert_cmpint (unlink (noted), ==, 0);
      g_assert_true (notes[i] == NULL || g_file_set_contents (noted, notes[i], -1, NULL));
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
      struct stat st;
      g_assert_cmpint (stat (noted, &st), ==, 0);
      g_assert_cmpint (st.st_size, ==, 63);
    }
}

/* A file that seems unchanged is not read again, so a hidden change of its contents is not noticed. */
static void
test_unchanged (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  const struct timespec times[] = { st.st_atim, st.st_mtim };
  cache_change (path, "wrong");
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
  g_assert_cmpint (utimensat (AT_FDCWD, path, NULL, 0), ==, 0);
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
}

/* libvirt gives backing files to QEMU's user, who could change them unnoticed. */
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
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  const struct timespec times[] = { st.st_atim, st.st_mtim };
  g_assert_cmpint (chown (path, 12345, 12345), ==, 0);
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpuint (st.st_uid, ==, 0);
  g_assert_cmpint (chown (path, 12345, 12345), ==, 0);
  cache_change (path, "wrong");
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
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
      const struct timespec past[] = { { 1, 0 }, { 1, 0 } };
      cache_change (path, "right");
      g_assert_cmpint (utimensat (AT_FDCWD, path, past, 0), ==, 0);
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
  g_assert_true (g_file_set_contents (path, "right", -1, NULL));
  pid_t child = begin_to_check (f, &digest);
  int status;
  g_assert_cmpint (waitpid (child, &status, WUNTRACED), ==, child);
  g_usleep (2100 * 1000);
  g_assert_cmpint (kill (child, SIGCONT), ==, 0);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (WEXITSTATUS (status), ==, LM_CACHE_PRESENT);
  g_assert_false (g_file_test (noted, G_FILE_TEST_EXISTS));
  const struct timespec past[] = { { 1, 0 }, { 1, 0 } };
  g_assert_cmpint (utimensat (AT_FDCWD, path, past, 0), ==, 0);
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
      g_assert_cmpint (unlink (path), ==, 0);
    }
}

/* Changes the contents so that only reading the file shows the change. */
static void
change_unseen (const char *path, const char *text)
{
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  const struct timespec times[] = { st.st_atim, st.st_mtim };
  cache_change (path, text);
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
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
      g_autoptr (LmCache) first = lm_cache_open_readonly (f->state, findings, NULL);
      g_autoptr (LmCache) second = lm_cache_open (f->state, findings, NULL);
      g_autoptr (LmCache) other = lm_cache_open (f->state, NULL, NULL);
      /* A note cannot be written if a directory has its name. */
      g_assert_true (writable || g_mkdir_with_parents (noted, 0755) == 0);
      g_assert_true (g_file_set_contents (path, good ? "right" : "wrong", -1, NULL));
      const struct timespec past[] = { { 1, 0 }, { 1 + i, 0 } };
      g_assert_cmpint (utimensat (AT_FDCWD, path, past, 0), ==, 0);
      LmCacheState expected = good ? LM_CACHE_PRESENT : LM_CACHE_DAMAGED;
      g_assert_cmpint (cache_check (first, &digest), ==, expected);
      change_unseen (path, good ? "wrong" : "right");
      g_assert_cmpint (cache_check (first, &digest), ==, expected);
      g_assert_cmpint (cache_check (second, &digest), ==, expected);
      /* A later run knows the result only if it could be noted. */
      g_assert_cmpint (cache_check (other, &digest), ==, good && writable ? LM_CACHE_PRESENT : good ? LM_CACHE_DAMAGED : LM_CACHE_PRESENT);
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
  g_test_add ("/verify/changed-meanwhile", CacheFixture, NULL, cache_fixture_set_up, test_changed_meanwhile, cache_fixture_tear_down);
  g_test_add ("/verify/changed-just-now", CacheFixture, NULL, cache_fixture_set_up, test_changed_just_now, cache_fixture_tear_down);
  g_test_add ("/verify/disturbed", CacheFixture, NULL, cache_fixture_set_up, test_disturbed, cache_fixture_tear_down);
  g_test_add ("/verify/read-once", CacheFixture, NULL, cache_fixture_set_up, test_read_once, cache_fixture_tear_down);
  return g_test_run ();
}
