/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/immutable.h"
#include "cache/quarantine.h"
#include "tests/unit/cache/fixture.h"
#include "tests/unit/lib/unlock.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static GPtrArray *
list_quarantine (CacheFixture *f)
{
  g_autofree char *dir = g_build_filename (f->state, "quarantine", NULL);
  return g_file_test (dir, G_FILE_TEST_EXISTS) ? lm_file_list_dir (dir, NULL) : g_ptr_array_new ();
}

/* Makes the file of @digest @size bytes long; its contents are wrong. */
static void
damage (CacheFixture *f, const LmDigest *digest, off_t size)
{
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, digest);
  g_assert_cmpint (truncate (unlock_file (path), size), ==, 0);
  g_assert_cmpint (cache_check (f->cache, digest), ==, LM_CACHE_DAMAGED);
}

static char *
move (CacheFixture *f, const LmDigest *digest, GPtrArray *deleted)
{
  g_autoptr (GError) error = NULL;
  const LmBlob blob = { .kind = LM_BLOB_FILE, .digest = *digest };
  char *path = NULL;
  g_assert_true (lm_quarantine_move (f->cache, &blob, &path, deleted, NULL, &error));
  g_assert_no_error (error);
  return path;
}

/* The damaged file has another place; what it contains does not change. */
static void
test_move (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  g_autofree char *text = NULL;
  struct stat st;
  cache_put (f->cache, LM_BLOB_FILE, "right");
  cache_change (path, "wrong");
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
  g_autofree char *aside = move (f, &digest, NULL);
  g_assert_nonnull (aside);
  g_autofree char *begin = g_strdup_printf ("%s/quarantine/%s.2", f->state, strrchr (path, '/') + 1);
  g_assert_true (g_str_has_prefix (aside, begin));
  g_assert_true (g_file_get_contents (aside, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "wrong");
  g_assert_cmpint (stat (aside, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0400);
  g_assert_cmpint (lm_immutable_get (AT_FDCWD, aside), !=, LM_IMMUTABLE_YES);
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_MISSING);
  g_autofree char *again = move (f, &digest, NULL);
  g_assert_null (again);
}

/* A file that is not known to be damaged, or was replaced since, stays. */
static void
test_keep (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  for (int i = 0; i < 3; i++)
    {
      if (i == 1)
        damage (f, &digest, 3);
      if (i == 2)
        damage (f, &digest, 4);
      if (i > 0)
        g_assert_true (g_file_set_contents (unlock_file (path), "right", -1, NULL));
      g_autofree char *aside = move (f, &digest, NULL);
      g_assert_null (aside);
      g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
    }
  g_autoptr (GPtrArray) names = list_quarantine (f);
  g_assert_cmpuint (names->len, ==, 0);
}

/* Publication moves a damaged file as well. */
static void
test_publish (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  cache_put (f->cache, LM_BLOB_FILE, "right");
  damage (f, &digest, 3);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_PRESENT);
  g_autoptr (GPtrArray) names = list_quarantine (f);
  g_assert_cmpuint (names->len, ==, 1);
}

/* Older ones are deleted, but not the last one; which ones is told. */
static void
test_bound (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < LM_QUARANTINE_FILES + 2; i++)
    {
      g_autoptr (GPtrArray) deleted = g_ptr_array_new_with_free_func (g_free);
      cache_put (f->cache, LM_BLOB_FILE, "right");
      damage (f, &digest, 3);
      g_ptr_array_add (paths, move (f, &digest, deleted));
      g_assert_cmpuint (deleted->len, ==, i >= LM_QUARANTINE_FILES);
      if (deleted->len > 0)
        g_assert_cmpstr (deleted->pdata[0], ==, paths->pdata[i - LM_QUARANTINE_FILES]);
    }
  g_autoptr (GPtrArray) names = list_quarantine (f);
  g_assert_cmpuint (names->len, ==, LM_QUARANTINE_FILES);

  static const struct
  {
    guint64 size; /* of a file without contents, in GiB */
    guint left;
  } cases[] = { { 5, LM_QUARANTINE_FILES }, { 4, 1 }, { 3, 2 }, { 1, 3 }, { 20, 1 }, { 1, 1 } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      cache_put (f->cache, LM_BLOB_FILE, "right");
      damage (f, &digest, (off_t) (cases[i].size << 30));
      g_autofree char *aside = move (f, &digest, NULL);
      g_autoptr (GPtrArray) left = list_quarantine (f);
      g_assert_cmpuint (left->len, ==, cases[i].left);
      g_assert_true (g_file_test (aside, G_FILE_TEST_EXISTS));
    }
}

/* The clock was put back, which must not make the last file one of the oldest. */
static void
test_clock (CacheFixture *f, gconstpointer data)
{
  static const char *const last[] = { "29991231T235959999999", "20990101T000000000000", "20990101T000000999997", "20991301T000000000000", "later" };
  LmDigest digest = lm_digest_of_text ("right");
  for (gsize i = 0; i < G_N_ELEMENTS (last); i++)
    {
      g_autofree char *dir = g_build_filename (f->state, "quarantine", NULL);
      g_autofree char *name = lm_digest_file_name (&digest, ".");
      g_autoptr (GPtrArray) before G_GNUC_UNUSED = NULL;
      g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
      for (guint n = 0; n < LM_QUARANTINE_FILES; n++)
        {
          g_autofree char *time = n == 0 ? g_strdup (last[i]) : g_strdup_printf ("2098010%uT000000000000", n);
          g_autofree char *path = g_strconcat (dir, "/", name, time, NULL);
          g_assert_true (g_file_set_contents (path, "", 0, NULL));
        }
      cache_put (f->cache, LM_BLOB_FILE, "right");
      damage (f, &digest, 3);
      g_autofree char *aside = move (f, &digest, NULL);
      g_assert_nonnull (aside);
      g_assert_true (g_file_test (aside, G_FILE_TEST_EXISTS));
      g_autoptr (GPtrArray) entries = lm_quarantine_list (f->cache, NULL);
      g_assert_cmpuint (entries->len, ==, LM_QUARANTINE_FILES);
      g_assert_cmpstr (((LmQuarantineEntry *) g_ptr_array_index (entries, 0))->path, ==, aside);
      g_assert_true (lm_file_remove_tree (dir, NULL));
    }
}

/* A process that had the file open to verify it makes it immutable after it was moved. */
static void
test_flagged (CacheFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LmDigest digest = lm_digest_of_text ("right");
  for (guint i = 0; i < LM_QUARANTINE_FILES + 2; i++)
    {
      cache_put (f->cache, LM_BLOB_FILE, "right");
      damage (f, &digest, 3);
      g_autofree char *aside = move (f, &digest, NULL);
      lm_autofd int fd = open (aside, O_RDONLY | O_CLOEXEC);
      if (!lm_immutable_set (fd, TRUE))
        {
          g_test_skip ("needs root and a file system with the immutable flag");
          return;
        }
    }
  g_autoptr (GPtrArray) entries = lm_quarantine_list (f->cache, &error);
  g_assert_cmpuint (entries->len, ==, LM_QUARANTINE_FILES);
  for (guint i = 0; i < entries->len; i++)
    g_assert_true (lm_quarantine_remove (f->cache, g_ptr_array_index (entries, i), &error));
  g_assert_no_error (error);
}

/* Killed after it lifted the flag: the file still counts as damaged, and is moved later. */
static void
test_killed (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  if (lm_immutable_get (AT_FDCWD, path) != LM_IMMUTABLE_YES)
    {
      g_test_skip ("needs root and a file system with the immutable flag");
      return;
    }
  cache_change (path, "wrong");
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
  pid_t child = fork ();
  int status;
  if (child == 0)
    {
      g_setenv ("LAMINA_TEST_FAULT", "flag-after-lift=kill", TRUE);
      g_free (move (f, &digest, NULL));
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  g_assert_cmpint (cache_check (f->cache, &digest), ==, LM_CACHE_DAMAGED);
  g_autofree char *aside = move (f, &digest, NULL);
  g_assert_nonnull (aside);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/quarantine/move", CacheFixture, NULL, cache_fixture_set_up, test_move, cache_fixture_tear_down);
  g_test_add ("/quarantine/keep", CacheFixture, NULL, cache_fixture_set_up, test_keep, cache_fixture_tear_down);
  g_test_add ("/quarantine/publish", CacheFixture, NULL, cache_fixture_set_up, test_publish, cache_fixture_tear_down);
  g_test_add ("/quarantine/bound", CacheFixture, NULL, cache_fixture_set_up, test_bound, cache_fixture_tear_down);
  g_test_add ("/quarantine/clock", CacheFixture, NULL, cache_fixture_set_up, test_clock, cache_fixture_tear_down);
  g_test_add ("/quarantine/flagged", CacheFixture, NULL, cache_fixture_set_up, test_flagged, cache_fixture_tear_down);
  g_test_add ("/quarantine/killed", CacheFixture, NULL, cache_fixture_set_up, test_killed, cache_fixture_tear_down);
  return g_test_run ();
}
