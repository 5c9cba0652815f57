/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/builder-tree.h"
#include "author/builder.h"
#include "base/file.h"
#include "io/run.h"
#include "tests/unit/cache/fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  CacheFixture cache;
  char *bin; /* the only directory with programs, besides those of the system if the test adds it */
  char *path;
  LmRecipe *recipe;
  GPtrArray *payload;
  LmRecipeLock *lock;
  LmWorkDir *work;
  LmHost host;
} Fixture;

static void
on_status (gpointer user_data, const char *text)
{
}

static void
write_program (const Fixture *f, const char *name, const char *script)
{
  g_autofree char *path = g_build_filename (f->bin, name, NULL), *text = g_strdup_printf ("#!/bin/sh\n%s\n", script);
  g_assert_true (lm_file_write (path, text, strlen (text), 0755, NULL));
}

static void
add_package (Fixture *f, const char *name, const char *content, const char *url)
{
  char *urls[] = { (char *) url, NULL };
  const LmBlob blob = { .kind = LM_BLOB_FILE, .name = (char *) name, .digest = lm_digest_of_text (content), .size = strlen (content), .urls = urls };
  cache_put (f->cache.cache, LM_BLOB_FILE, content);
  lm_recipe_lock_add (f->lock, name, "1", "amd64", &blob);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  static const char recipe[] = "lamina-recipe: 1\nname: base\npackages: a\nversion: \"1\"\n"
                               "files: [{to: /etc/secret, mode: \"0600\", content: hidden}]\n";
  g_autoptr (GError) error = NULL;
  const LmDigest digest = lm_digest_of_text ("");
  cache_fixture_set_up (&f->cache, data);
  f->bin = g_build_filename (f->cache.dir, "bin", NULL);
  f->path = g_strdup (g_getenv ("PATH"));
  f->host = (LmHost){ .status = on_status };
  g_assert_true (lm_file_make_dir (f->bin, 0755, NULL));
  f->recipe = lm_recipe_parse ("/recipe.yaml", recipe, strlen (recipe), &error);
  g_assert_no_error (error);
  f->payload = lm_payload_read (f->recipe, NULL, &error);
  g_assert_no_error (error);
  f->lock = lm_recipe_lock_new (&digest, &digest);
  f->work = lm_work_dir_new (f->cache.cache, &error);
  g_assert_no_error (error);
  add_package (f, "b", "content of b", "http://h/b.deb");
  add_package (f, "a", "content of a", "http://h/a.deb");
  write_program (f, "dpkg-deb", "[ \"$1\" = --field ] && echo \"Package: $(tail -c 1 \"$2\")\"");
  write_program (f, "newuidmap", "");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_setenv ("PATH", f->path, TRUE);
  lm_work_dir_free (f->work);
  lm_recipe_lock_free (f->lock);
  g_ptr_array_unref (f->payload);
  lm_recipe_free (f->recipe);
  g_free (f->bin);
  g_free (f->path);
  cache_fixture_tear_down (&f->cache, data);
}

static gboolean
make_tree_until (Fixture *f, GCancellable *cancellable, GError **error)
{
  const LmBuilderDisk build
    = { .host = &f->host, .cache = f->cache.cache, .work = f->work, .recipe = f->recipe, .payload = f->payload, .lock = f->lock };
  g_autofree char *to = g_build_filename (f->cache.dir, "tree.tar", NULL);
  const gboolean made = lm_builder_tree_make (&build, to, cancellable, error);
  g_assert_true (made == (*error == NULL));
  return made;
}

static gboolean
make_tree (Fixture *f, GError **error)
{
  return make_tree_until (f, NULL, error);
}

static char *
read_text (const Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->cache.dir, name, NULL);
  char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

/* mmdebstrap is given the locked packages in a repository, and an archive of the recipe's files. */
static void
test_arguments (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_strdup_printf ("%s:%s", f->bin, f->path);
  g_autofree char *script = g_strdup_printf ("cd '%s'\nprintf '%%s\\n' \"$@\" >arguments\n"
                                             "for word; do eval \"set -- ${word#*hook=}\" 2>/dev/null\n"
                                             "  case $1 in sync-in) cat \"$2/Packages\" >index; ls \"$2\" >names ;;\n"
                                             "    upload) tar --list --verbose --numeric-owner --file \"$2\" >files ;; esac\ndone", f->cache.dir);
  write_program (f, "mmdebstrap", script);
  g_setenv ("PATH", path, TRUE);
  g_assert_true (make_tree (f, &error));
  g_assert_no_error (error);
  g_autofree char *arguments = read_text (f, "arguments"), *index = read_text (f, "index");
  g_autofree char *names = read_text (f, "names"), *files = read_text (f, "files");
  g_assert_nonnull (strstr (arguments, "\n--include=a,b\n"));
  g_assert_nonnull (strstr (arguments, "\n--variant=essential\n"));
  g_assert_true (g_str_has_prefix (arguments, geteuid () == 0 ? "--mode=root\n" : "--mode=unshare\n"));
  /* Nothing is fetched: without a suite and with one place, a directory of the tree. */
  g_assert_nonnull (strstr (arguments, "/tree.tar\ndeb [trusted=yes] copy:/lamina-packages ./\n"));
  g_assert_cmpstr (names, ==, "Packages\na_amd64.deb\nb_amd64.deb\n");
  g_assert_nonnull (strstr (index, "Package: a\nFilename: ./a_amd64.deb\nSize: 12\nSHA256: "));
  g_assert_nonnull (strstr (files, "-rw------- 0/0"));
  g_assert_nonnull (strstr (files, "./etc/secret"));
}

static void
test_failure (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_strdup_printf ("%s:%s", f->bin, f->path);
  write_program (f, "mmdebstrap", "echo E: the reason >&2; exit 25");
  g_setenv ("PATH", path, TRUE);
  g_assert_false (make_tree (f, &error));
  g_assert_error (error, LM_RUN_ERROR, LM_RUN_ERROR_STATUS);
  g_assert_true (g_str_has_prefix (error->message, "/recipe.yaml: making the tree with mmdebstrap: "));
  g_assert_nonnull (strstr (error->message, "the reason"));
}

static void
test_rpm (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_strdup_printf ("%s:%s", f->bin, f->path);
  write_program (f, "mmdebstrap", "");
  add_package (f, "c", "content of c", "http://h/c.rpm");
  g_setenv ("PATH", path, TRUE);
  g_assert_false (make_tree (f, &error));
  g_assert_error (error, LM_BUILDER_ERROR, LM_BUILDER_ERROR_REQUEST);
  g_assert_nonnull (strstr (error->message, "/recipe.yaml"));
}

/* Waits until the file @name is there, and cancels. */
static gpointer
cancel_at (gpointer data)
{
  gpointer *both = data;
  for (guint i = 0; i < 1000 && !g_file_test (both[0], G_FILE_TEST_EXISTS); i++)
    g_usleep (20000);
  g_cancellable_cancel (both[1]);
  return NULL;
}

static gboolean
is_in_file (const char *path, const char *what)
{
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return strstr (text, what) != NULL;
}

/* Neither what mmdebstrap has mounted nor a process that it has started outlives it. */
static void
test_isolated (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *path = g_strdup_printf ("%s:%s", f->bin, f->path), *mark = g_build_filename (f->cache.dir, "started", NULL);
  g_autofree char *alive = g_build_filename (f->cache.dir, "alive", NULL);
  g_autofree char *script = g_strdup_printf ("mkdir \"$TMPDIR/mount\" && mount -t tmpfs lamina-test-isolated \"$TMPDIR/mount\" || exit 7\n"
                                             "setsid sh -c 'while :; do echo >\"%s\"; sleep 0.1; done' &\n"
                                             "sleep 0.3; echo >\"%s\"; sleep 1000\n", alive, mark);
  const char *const may[] = { "unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "lamina-test", "/mnt", NULL };
  if (geteuid () != 0 || !lm_run (may, NULL, NULL, NULL, NULL))
    {
      g_test_skip ("needs root, and namespaces");
      return;
    }
  write_program (f, "mmdebstrap", script);
  g_setenv ("PATH", path, TRUE);
  gpointer both[] = { mark, cancellable };
  GThread *thread = g_thread_new ("cancel", cancel_at, both);
  g_assert_false (make_tree_until (f, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  (void) g_thread_join (thread);
  g_assert_false (is_in_file ("/proc/self/mounts", "lamina-test-isolated"));
  g_assert_cmpint (unlink (alive), ==, 0);
  g_usleep (500000);
  g_assert_false (g_file_test (alive, G_FILE_TEST_EXISTS));
}

/* The message names what to install. */
static void
test_missing (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *mapper = g_build_filename (f->bin, "newuidmap", NULL);
  g_setenv ("PATH", f->bin, TRUE);
  g_assert_false (make_tree (f, &error));
  g_assert_error (error, LM_RUN_ERROR, LM_RUN_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "install mmdebstrap"));
  g_clear_error (&error);
  write_program (f, "mmdebstrap", "");
  g_assert_cmpint (unlink (mapper), ==, 0);
  const gboolean root = geteuid () == 0;
  /* Directories above may be closed to others. */
  g_assert_cmpint (chdir (f->bin), ==, 0);
  g_setenv ("PATH", ".", TRUE);
  g_assert_cmpint (root ? seteuid (65534) : 0, ==, 0);
  g_assert_false (make_tree (f, &error));
  g_assert_cmpint (root ? seteuid (0) : 0, ==, 0);
  g_assert_error (error, LM_RUN_ERROR, LM_RUN_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "install uidmap"));
  g_assert_cmpint (chdir ("/"), ==, 0);
}

#define ADD(NAME, FUNC) g_test_add (NAME, Fixture, NULL, set_up, FUNC, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/builder-tree/arguments", test_arguments);
  ADD ("/builder-tree/failure", test_failure);
  ADD ("/builder-tree/rpm", test_rpm);
  ADD ("/builder-tree/isolated", test_isolated);
  ADD ("/builder-tree/missing", test_missing);
  return g_test_run ();
}
