/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/fd.h"
#include "base/file.h"
#include "tests/unit/lib/cancel.h"
#include "tests/unit/lib/faulty.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *
make_dir (void)
{
  g_autoptr (GError) error = NULL;
  char *dir = g_dir_make_tmp ("lm-file-XXXXXX", &error);
  g_assert_no_error (error);
  return dir;
}

static void
test_write_read (void)
{
  g_autofree char *dir = make_dir ();
  g_autofree char *path = g_build_filename (dir, "record", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_file_write (path, "one", 3, 0600, &error));
  g_assert_no_error (error);
  g_assert_true (lm_file_write (path, "three", 5, 0600, &error));
  g_assert_no_error (error);
  g_autoptr (GBytes) bytes = lm_file_read (path, 5, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "three", 5);

  g_assert_null (lm_file_read (path, 4, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
  g_clear_error (&error);
  g_assert_null (lm_file_read (dir, 4, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
  g_clear_error (&error);
  g_assert_true (lm_file_remove_tree (dir, &error));
  g_assert_no_error (error);
  g_assert_null (lm_file_read (path, 4, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
test_publish_never_replaces (void)
{
  g_autofree char *dir = make_dir ();
  lm_autofd int fd = open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_autofree char *a = g_build_filename (dir, "a", NULL);
  g_autofree char *b = g_build_filename (dir, "b", NULL);
  g_autofree char *final = g_build_filename (dir, "final", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_file_write (a, "a", 1, 0644, &error));
  g_assert_true (lm_file_write (b, "b", 1, 0644, &error));
  g_assert_true (lm_file_publish (fd, "a", "final", &error));
  g_assert_no_error (error);
  g_assert_false (lm_file_publish (fd, "b", "final", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_clear_error (&error);
  g_autoptr (GBytes) bytes = lm_file_read (final, 10, NULL, &error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "a", 1);
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* Of a killed program, something may be mounted below a directory that is left of it. */
static void
test_remove_tree_keeps_mount (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lamina-test-XXXXXX", NULL), *point = g_build_filename (dir, "a", NULL);
  g_autofree char *kept = g_build_filename (point, "kept", NULL);
  g_assert_cmpint (mkdir (point, 0755), ==, 0);
  if (mount ("lamina-test", point, "tmpfs", 0, NULL) < 0)
    {
      g_assert_true (lm_file_remove_tree (dir, NULL));
      g_test_skip ("nothing can be mounted");
      return;
    }
  g_assert_true (g_file_set_contents (kept, "x", -1, NULL));
  const gboolean removed = lm_file_remove_tree (dir, &error), is_there = g_file_test (kept, G_FILE_TEST_EXISTS);
  g_assert_cmpint (umount (point), ==, 0);
  g_assert_false (removed);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_true (is_there);
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

static void
test_remove_tree_keeps_link_target (void)
{
  g_autofree char *dir = make_dir ();
  g_autofree char *tree = g_build_filename (dir, "tree", "sub", NULL);
  g_autofree char *top = g_build_filename (dir, "tree", NULL);
  g_autofree char *keep = g_build_filename (dir, "keep", NULL);
  g_autofree char *kept = g_build_filename (keep, "file", NULL);
  g_autofree char *link = g_build_filename (tree, "link", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_file_make_dir (tree, 0755, &error));
  g_assert_true (lm_file_make_dir (keep, 0755, &error));
  g_assert_true (lm_file_write (kept, "x", 1, 0644, &error));
  g_assert_cmpint (symlink (keep, link), ==, 0);
  g_assert_true (lm_file_remove_tree (top, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (top, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));
  g_assert_true (lm_file_remove_tree (top, &error));
  g_assert_true (lm_file_remove_tree (dir, &error));
}

static void
test_fault (void)
{
  g_autofree char *dir = make_dir ();
  g_autofree char *path = g_build_filename (dir, "record", NULL);
  g_autoptr (GError) error = NULL;
  g_setenv ("LAMINA_TEST_FAULT", "other=kill,file-write=enospc", TRUE);
  g_assert_false (lm_file_write (path, "one", 3, 0600, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_unsetenv ("LAMINA_TEST_FAULT");
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

static guint
mode_of (const char *path)
{
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  return st.st_mode & 07777;
}

/* QEMU runs as another user and must be able to pass through, regardless of root's umask. */
static void
test_make_dir (void)
{
  g_autofree char *dir = make_dir ();
  g_autofree char *middle = g_build_filename (dir, "a", NULL);
  g_autofree char *deep = g_build_filename (middle, "b", NULL);
  g_autofree char *file = g_build_filename (dir, "file", NULL);
  g_autofree char *below = g_build_filename (file, "x", NULL);
  g_autoptr (GError) error = NULL;
  mode_t before = umask (077);
  g_assert_true (lm_file_make_dir (deep, 0711, &error));
  g_assert_no_error (error);
  umask (before);
  g_assert_cmpuint (mode_of (middle), ==, 0711);
  g_assert_cmpuint (mode_of (deep), ==, 0711);
  g_assert_true (lm_file_make_dir (deep, 0700, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mode_of (deep), ==, 0711);
  g_assert_true (lm_file_write (file, "x", 1, 0644, &error));
  g_assert_false (lm_file_make_dir (file, 0755, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY);
  g_clear_error (&error);
  g_assert_false (lm_file_make_dir (below, 0755, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY);
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

static void
test_list (void)
{
  g_autofree char *dir = make_dir ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) none = lm_file_list_dir (dir, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (none->len, ==, 0);
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%u", dir, i);
      g_assert_cmpint (symlink ("/nonexistent", path), ==, 0);
    }
  g_autoptr (GPtrArray) many = lm_file_list_dir (dir, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (many->len, ==, 1000);
  g_assert_true (g_ptr_array_find_with_equal_func (many, "999", g_str_equal, NULL));
  g_assert_true (lm_file_remove_tree (dir, &error));
  g_assert_null (lm_file_list_dir (dir, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (lm_file_list_dir ("/dev/null", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY);
}

static void
test_restrict_mode (void)
{
  g_autofree char *dir = make_dir ();
  g_autofree char *path = g_build_filename (dir, "file", NULL);
  g_autofree char *link = g_build_filename (dir, "link", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_file_write (path, "x", 1, 0600, &error));
  g_assert_cmpint (chmod (path, 0640), ==, 0);
  g_assert_cmpint (symlink ("file", link), ==, 0);
  lm_file_restrict_mode (link, 0600);
  lm_file_restrict_mode (path, 0644);
  g_assert_cmpuint (mode_of (path), ==, 0640);
  lm_file_restrict_mode (path, 0604);
  g_assert_cmpuint (mode_of (path), ==, 0600);
  g_assert_cmpint (chmod (dir, 0755), ==, 0);
  lm_file_restrict_mode (dir, 0700);
  g_assert_cmpuint (mode_of (dir), ==, 0700);
  g_assert_true (lm_file_remove_tree (dir, &error));
  lm_file_restrict_mode (path, 0600);
  g_assert_no_error (error);
}

static gpointer
write_late (gpointer data)
{
  g_usleep (100 * 1000);
  int fd = open (data, O_WRONLY | O_CLOEXEC);
  g_assert_cmpint (write (fd, "one", 3), ==, 3);
  g_usleep (100 * 1000);
  g_assert_cmpint (write (fd, "two", 3), ==, 3);
  g_assert_cmpint (close (fd), ==, 0);
  return NULL;
}

/* A pipe can be read although its data arrives late, but the read ends in any case. */
static void
test_pipe (void)
{
  g_autofree char *dir = g_dir_make_tmp ("lm-file-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "pipe", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_assert_null (lm_file_read (path, 10, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE);
  g_clear_error (&error);

  GThread *writer = g_thread_new ("writer", write_late, path);
  g_autoptr (GBytes) bytes = lm_file_read (path, 10, cancellable, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "onetwo", 6);
  g_thread_join (writer);

  GThread *canceller = cancel_after (cancellable, 100);
  g_assert_null (lm_file_read (path, 10, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (canceller);
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

static void
test_closed_dir (void)
{
  g_autofree char *top = g_dir_make_tmp ("closed-XXXXXX", NULL);
  g_autofree char *dir = g_build_filename (top, "a", "b", NULL);
  g_autofree char *middle = g_build_filename (top, "a", NULL);
  g_autofree char *path = g_build_filename (dir, "file", NULL);
  g_assert_cmpint (g_mkdir_with_parents (dir, 0755), ==, 0);
  g_assert_cmpint (g_chmod (top, 0711), ==, 0);
  /* The temporary directory of the test is closed to others. */
  struct stat st;
  if (stat (g_get_tmp_dir (), &st) == 0 && st.st_uid == getuid () && (st.st_mode & 07777) == 0700)
    g_assert_cmpint (g_chmod (g_get_tmp_dir (), 0711), ==, 0);
  g_autofree char *above = lm_file_find_closed_dir (top, G_MAXUINT);
  if (above != NULL)
    {
      g_test_skip ("the directory for temporary files is closed");
      return;
    }
  const struct
  {
    int mode;
    guint uid;
    gboolean passable;
  } cases[] = {
    { 0755, G_MAXUINT, TRUE },  { 0711, G_MAXUINT, TRUE }, { 0700, G_MAXUINT, FALSE }, { 0750, G_MAXUINT, FALSE },
    { 0754, G_MAXUINT, FALSE }, { 0700, getuid (), TRUE }, { 0677, getuid (), FALSE }, { 0001, G_MAXUINT, TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_cmpint (g_chmod (middle, cases[i].mode), ==, 0);
      g_autofree char *closed = lm_file_find_closed_dir (path, cases[i].uid);
      g_assert_cmpstr (closed, ==, cases[i].passable ? NULL : middle);
    }
  g_assert_cmpint (g_chmod (middle, 0755), ==, 0);
  g_autofree char *missing = g_build_filename (dir, "no", "such", "file", NULL);
  g_assert_null (lm_file_find_closed_dir (missing, G_MAXUINT));
}

/* A secret that replaces a file that everybody could read is private, whatever mode GLib would give it. */
static void
test_write_mode (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lm-file-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "f", NULL);
  static const int modes[] = { 0644, 0600, 0644, 0444 };
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (modes); i++)
    {
      int mode = modes[i / 2];
      struct stat st;
      g_assert_true (i % 2 == 0 ? lm_file_write (path, "x", 1, mode, &error)
                                : lm_file_write_unsynced (path, "x", 1, mode, &error));
      g_assert_no_error (error);
      g_assert_cmpint (stat (path, &st), ==, 0);
      g_assert_cmpint (st.st_mode & 07777, ==, mode);
    }
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* Returns the name in @dir that begins with @start and has more characters; NULL if there is none. */
static char *
find_temporary (const char *dir, const char *start)
{
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, NULL);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *written = lm_file_written_name (names->pdata[i]);
      if (g_strcmp0 (written, start) == 0)
        return g_strdup (names->pdata[i]);
    }
  return NULL;
}

/* Creates a child process that stops before it has finished writing, and waits until it stops. */
static pid_t
begin_to_write (const char *path, const char *fault)
{
  pid_t child = fork ();
  if (child == 0)
    {
      g_setenv ("LAMINA_TEST_FAULT", fault, TRUE);
      _exit (lm_file_write (path, "new", 3, 0600, NULL) ? 0 : 1);
    }
  int status;
  g_assert_cmpint (waitpid (child, &status, WUNTRACED), ==, child);
  return child;
}

/* A file that a killed process was writing is removed, but not one that a process is writing now. */
static void
test_leftover (void)
{
  g_autofree char *dir = make_dir ();
  g_autofree char *path = g_build_filename (dir, "record", NULL);
  g_autofree char *link = g_build_filename (dir, "record.lamina-tmp.Abc123", NULL);
  lm_autofd int fd = open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int status;
  g_assert_true (lm_file_write (path, "old", 3, 0600, NULL));

  begin_to_write (path, "file-before-rename=kill");
  g_autofree char *dead = find_temporary (dir, "record");
  g_assert_nonnull (dead);
  lm_file_remove_leftover (fd, dead);
  g_assert_null (find_temporary (dir, "record"));

  pid_t child = begin_to_write (path, "file-before-rename=stop");
  g_autofree char *live = find_temporary (dir, "record");
  g_assert_nonnull (live);
  lm_file_remove_leftover (fd, live);
  g_assert_cmpint (kill (child, SIGCONT), ==, 0);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  g_assert_null (find_temporary (dir, "record"));
  g_autoptr (GBytes) bytes = lm_file_read (path, 10, NULL, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "new", 3);

  g_setenv ("LAMINA_TEST_FAULT", "file-before-rename=enospc", TRUE);
  g_autoptr (GError) error = NULL;
  g_assert_false (lm_file_write (path, "one", 3, 0600, &error));
  g_unsetenv ("LAMINA_TEST_FAULT");
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_assert_null (find_temporary (dir, "record"));

  g_assert_cmpint (symlink ("record", link), ==, 0);
  lm_file_remove_leftover (fd, "record.lamina-tmp.Abc123");
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  static const char *const others[] = { "record", "record.json", "record.lamina-tmp.Abc12", "record.lamina-tmp.Abc1234",
                                        "record.lamina-tmp.Ab.c12", ".lamina-tmp.Abc123", "", "record.Abc123",
                                        "record.json.backup", "record.json.edited" };
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_null (lm_file_written_name (others[i]));
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* If a new file cannot be examined, that is an error and no reason to create another one. */
static void
test_write_error (void)
{
  g_autofree char *dir = make_dir ();
  g_autofree char *path = g_build_filename (dir, "record", NULL);
  g_autoptr (GError) error = NULL;
  faulty_fstatat = TRUE;
  g_assert_false (lm_file_write (path, "one", 3, 0600, &error));
  faulty_fstatat = FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, NULL);
  g_assert_cmpuint (names->len, ==, 0);
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/file/write-read", test_write_read);
  g_test_add_func ("/file/publish-never-replaces", test_publish_never_replaces);
  g_test_add_func ("/file/remove-tree-keeps-link-target", test_remove_tree_keeps_link_target);
  g_test_add_func ("/file/remove-tree-keeps-mount", test_remove_tree_keeps_mount);
  g_test_add_func ("/file/make-dir", test_make_dir);
  g_test_add_func ("/file/list", test_list);
  g_test_add_func ("/file/restrict-mode", test_restrict_mode);
  g_test_add_func ("/file/fault", test_fault);
  g_test_add_func ("/file/pipe", test_pipe);
  g_test_add_func ("/file/closed-dir", test_closed_dir);
  g_test_add_func ("/file/write-mode", test_write_mode);
  g_test_add_func ("/file/leftover", test_leftover);
  g_test_add_func ("/file/write-error", test_write_error);
  return g_test_run ();
}
