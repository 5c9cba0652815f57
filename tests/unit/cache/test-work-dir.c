/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/work-dir.h"
#include "tests/unit/cache/fixture.h"

#include <sys/wait.h>
#include <unistd.h>

static LmWorkDir *
make_dir (LmCache *cache)
{
  g_autoptr (GError) error = NULL;
  LmWorkDir *dir = lm_work_dir_new (cache, &error);
  g_assert_no_error (error);
  g_autofree char *sub = g_build_filename (lm_work_dir_get_path (dir), "sub", NULL), *file = g_build_filename (sub, "file", NULL);
  g_assert_cmpint (g_mkdir_with_parents (sub, 0700), ==, 0);
  g_assert_true (g_file_set_contents (file, "text", -1, NULL));
  return dir;
}

static void
test_use (CacheFixture *fixture, gconstpointer data)
{
  LmWorkDir *one = make_dir (fixture->cache), *other = make_dir (fixture->cache);
  g_autofree char *path = g_strdup (lm_work_dir_get_path (one));
  lm_work_dir_remove_left (fixture->cache);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR));
  g_assert_true (g_file_test (lm_work_dir_get_path (other), G_FILE_TEST_IS_DIR));
  lm_work_dir_free (one);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  lm_work_dir_free (other);
}

static void
test_left (CacheFixture *fixture, gconstpointer data)
{
  const pid_t pid = fork ();
  int status;
  if (pid == 0)
    {
      (void) make_dir (fixture->cache);
      _exit (0);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_autofree char *partial = g_build_filename (lm_cache_get_dir (fixture->cache), "partial", NULL);
  g_autoptr (GDir) dir = g_dir_open (partial, 0, NULL);
  const char *name, *found = NULL;
  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, "work."))
      found = name;
  g_assert_nonnull (found);
  g_autofree char *path = g_build_filename (partial, found, NULL);
  lm_work_dir_remove_left (fixture->cache);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/work-dir/use", CacheFixture, NULL, cache_fixture_set_up, test_use, cache_fixture_tear_down);
  g_test_add ("/work-dir/left", CacheFixture, NULL, cache_fixture_set_up, test_left, cache_fixture_tear_down);
  return g_test_run ();
}
