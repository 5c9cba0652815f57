/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "base/state-dir.h"
#include "tests/unit/lib/faulty.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define STRANGER 12345

typedef struct
{
  char *top;
  char *state;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->top = g_dir_make_tmp ("lm-state-XXXXXX", NULL);
  f->state = g_build_filename (f->top, "state", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_true (lm_file_remove_tree (f->top, NULL));
  g_free (f->top);
  g_free (f->state);
}

/* Opens state/a/b and reads the file "file" in it. Returns the first error, or NULL. */
static GError *
visit (Fixture *f, gboolean readonly)
{
  GError *error = NULL;
  g_autoptr (LmStateDir) state = readonly ? lm_state_dir_open_readonly (f->state, &error) : lm_state_dir_open (f->state, &error);
  g_autoptr (LmStateDir) a = state ? lm_state_dir_open_below (state, "a", 0755, &error) : NULL;
  g_autoptr (LmStateDir) b = a ? lm_state_dir_open_below (a, "b", 0700, &error) : NULL;
  g_autoptr (GBytes) bytes G_GNUC_UNUSED = b ? lm_state_dir_read (b, "file", 100, &error) : NULL;
  return error;
}

static void
make_all (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmStateDir) state = lm_state_dir_open (f->state, &error);
  g_assert_no_error (error);
  g_autoptr (LmStateDir) a = lm_state_dir_open_below (state, "a", 0755, &error);
  g_autoptr (LmStateDir) b = lm_state_dir_open_below (a, "b", 0700, &error);
  g_assert_no_error (error);
  g_assert_true (lm_state_dir_write (b, "file", "text", 4, 0600, &error));
  g_assert_no_error (error);
}

static void
assert_refused (Fixture *f, const char *what)
{
  for (int readonly = 0; readonly < 2; readonly++)
    {
      g_autoptr (GError) error = visit (f, readonly);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
      g_assert_nonnull (strstr (error->message, what));
    }
}

/* The state directory, the directories below it and the files in them are checked in the same way. */
static void
test_trust (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "", "a", "a/b", "a/b/file" };
  static const mode_t modes[] = { 0777, 01777, 0775, 0702, 0720, 02775 };
  make_all (f);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (f->state, names[i], NULL);
      struct stat st;
      g_assert_cmpint (stat (path, &st), ==, 0);
      for (gsize j = 0; j < G_N_ELEMENTS (modes); j++)
        {
          g_assert_cmpint (chmod (path, modes[j]), ==, 0);
          assert_refused (f, (modes[j] & S_IWOTH) != 0 ? "chmod go-w" : "chmod g-w");
        }
      g_assert_cmpint (chmod (path, st.st_mode & 07777), ==, 0);
      if (geteuid () == 0)
        {
          g_assert_cmpint (chown (path, STRANGER, 0), ==, 0);
          assert_refused (f, "12345");
          g_assert_cmpint (chown (path, 0, 0), ==, 0);
        }
      g_autoptr (GError) error = visit (f, FALSE);
      g_assert_no_error (error);
    }
}

/* A symbolic link could lead to a directory that somebody else can write. */
static void
test_links (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "a", "a/b", "a/b/file" };
  make_all (f);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (f->state, names[i], NULL);
      g_autofree char *moved = g_build_filename (f->top, "moved", NULL);
      g_assert_cmpint (rename (path, moved), ==, 0);
      g_assert_cmpint (symlink (moved, path), ==, 0);
      assert_refused (f, "symbolic link");
      g_assert_cmpint (unlink (path), ==, 0);
      g_assert_cmpint (rename (moved, path), ==, 0);
    }
  /* The user chooses the path of the state directory. */
  g_autofree char *moved = g_build_filename (f->top, "moved", NULL);
  g_assert_cmpint (rename (f->state, moved), ==, 0);
  g_assert_cmpint (symlink (moved, f->state), ==, 0);
  g_autoptr (GError) error = visit (f, FALSE);
  g_assert_no_error (error);
}

static void
test_not_regular (Fixture *f, gconstpointer data)
{
  make_all (f);
  g_autofree char *path = g_build_filename (f->state, "a", "b", "file", NULL);
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_autoptr (GError) error = visit (f, FALSE);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE);
}

/* For a reader, what is missing counts as empty, and nothing is created. */
static void
test_readonly (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmStateDir) state = lm_state_dir_open_readonly (f->state, &error);
  g_autoptr (LmStateDir) below = lm_state_dir_open_below (state, "a", 0755, &error);
  g_autoptr (GPtrArray) names = lm_state_dir_list (below, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (names->len, ==, 0);
  g_assert_cmpint (lm_state_dir_get_fd (below), ==, -1);
  g_assert_null (lm_state_dir_read (below, "file", 10, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_true (lm_state_dir_remove_file (below, "file", NULL));
  g_assert_false (g_file_test (f->state, G_FILE_TEST_EXISTS));
}

/* Regardless of the umask: QEMU's user must be able to reach the layers, but not the rest. */
static void
test_modes (Fixture *f, gconstpointer data)
{
  mode_t before = umask (0077);
  make_all (f);
  umask (before);
  static const char *const names[] = { "", "a", "a/b", "a/b/file" };
  static const mode_t modes[] = { 0755, 0755, 0700, 0600 };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      struct stat st;
      g_autofree char *path = g_build_filename (f->state, names[i], NULL);
      g_assert_cmpint (stat (path, &st), ==, 0);
      g_assert_cmpuint (st.st_mode & 07777, ==, modes[i]);
    }
}

static void
test_write (Fixture *f, gconstpointer data)
{
  make_all (f);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmStateDir) dir = lm_state_dir_open (f->state, &error);
  g_assert_true (lm_state_dir_write (dir, "x", "long text", 9, 0644, &error));
  g_assert_true (lm_state_dir_write (dir, "x", "new", 3, 0644, &error));
  g_assert_no_error (error);
  g_autoptr (GBytes) bytes = lm_state_dir_read (dir, "x", 3, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "new", 3);
  g_assert_null (lm_state_dir_read (dir, "x", 2, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
  g_clear_error (&error);

  /* Wherever writing fails, the file is unchanged and there is no other file next to it. */
  static const struct
  {
    const char *name; /* a file cannot be renamed to the name of a directory */
    const char *fault;
    int code;
  } cases[] = { { "x", "file-write=eio", G_IO_ERROR_FAILED },
                { "x", "file-before-rename=enospc", G_IO_ERROR_NO_SPACE },
                { "blocked", "", G_IO_ERROR_IS_DIRECTORY } };
  g_autofree char *blocked = g_build_filename (f->state, "blocked", NULL);
  g_assert_true (lm_file_make_dir (blocked, 0755, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_setenv ("LAMINA_TEST_FAULT", cases[i].fault, TRUE);
      g_assert_false (lm_state_dir_write (dir, cases[i].name, "no", 2, 0644, &error));
      g_unsetenv ("LAMINA_TEST_FAULT");
      g_assert_error (error, G_IO_ERROR, cases[i].code);
      g_clear_error (&error);
      g_autoptr (GPtrArray) names = lm_state_dir_list (dir, NULL);
      g_assert_cmpuint (names->len, ==, 3);
    }
}

/* A disk error while reading a directory is not taken for its end. */
static void
test_list_error (Fixture *f, gconstpointer data)
{
  make_all (f);
  g_autoptr (LmStateDir) dir = lm_state_dir_open (f->state, NULL);
  for (int after = 0; after < 3; after++)
    {
      g_autoptr (GError) error = NULL;
      faulty_readdir_after = after;
      g_assert_null (lm_state_dir_list (dir, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      faulty_readdir_after = after;
      g_clear_error (&error);
      g_assert_false (lm_file_remove_tree (f->state, &error));
      g_assert_nonnull (error);
      faulty_readdir_after = -1;
      make_all (f);
    }
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) names = lm_state_dir_list (dir, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (names->len, ==, 1);
}

/* If no descriptor is left, that is not reported as a missing file. */
static void
test_descriptors (Fixture *f, gconstpointer data)
{
  make_all (f);
  struct rlimit before, none;
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  for (rlim_t limit = 3; limit < 16; limit++)
    {
      none = before;
      none.rlim_cur = limit;
      g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
      g_autoptr (GError) error = visit (f, TRUE);
      g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
      if (error != NULL)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/state-dir/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("trust", test_trust);
  ADD ("links", test_links);
  ADD ("not-regular", test_not_regular);
  ADD ("readonly", test_readonly);
  ADD ("modes", test_modes);
  ADD ("write", test_write);
  ADD ("list-error", test_list_error);
  ADD ("descriptors", test_descriptors);
  return g_test_run ();
}
