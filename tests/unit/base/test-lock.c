/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "base/lock.h"
#include "tests/unit/lib/cancel.h"
#include "tests/unit/lib/faulty.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  char *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("lm-lock-XXXXXX", NULL);
  f->path = g_build_filename (f->dir, "lock", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_true (lm_file_remove_tree (f->dir, NULL));
  g_free (f->dir);
  g_free (f->path);
}

/* Whether somebody else has the lock. */
static gboolean
is_held (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLock) lock = lm_lock_acquire (f->path, LM_LOCK_SHARED, 0, NULL, NULL, NULL, &error);
  return lock == NULL && g_error_matches (error, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY);
}

static void
test_modes (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLock) one = lm_lock_acquire (f->path, LM_LOCK_SHARED, 0, NULL, NULL, NULL, &error);
  g_autoptr (LmLock) two = lm_lock_acquire (f->path, LM_LOCK_SHARED, 0, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (is_held (f));
  g_assert_null (lm_lock_acquire (f->path, LM_LOCK_EXCLUSIVE, 0, NULL, NULL, NULL, &error));
  g_assert_error (error, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY);
  g_clear_error (&error);
  g_assert_null (lm_lock_acquire (f->path, LM_LOCK_EXCLUSIVE, 60, NULL, NULL, NULL, &error));
  g_assert_error (error, LM_LOCK_ERROR, LM_LOCK_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_clear_pointer (&one, lm_lock_release);
  g_clear_pointer (&two, lm_lock_release);
  G_GNUC_UNUSED g_autoptr (LmLock) exclusive = lm_lock_acquire (f->path, LM_LOCK_EXCLUSIVE, 0, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (is_held (f));
}

/* Whoever can open a lock file can block everybody else with it. */
static void
test_private (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  mode_t mask = umask (0);
  for (guint old = 0; old < 2; old++)
    {
      struct stat st;
      g_autoptr (LmLock) lock = lm_lock_acquire (f->path, LM_LOCK_EXCLUSIVE, 0, NULL, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_nonnull (lock);
      g_assert_cmpint (stat (f->path, &st), ==, 0);
      g_assert_cmpuint (st.st_mode & 0777, ==, 0600);
      /* As an older version created it; the next process that opens it corrects the mode. */
      g_assert_cmpint (chmod (f->path, 0644), ==, 0);
    }
  umask (mask);
}

/* There must not be two owners after a holder has removed its lock file. */
static void
test_removed_file (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLock) old = lm_lock_acquire (f->path, LM_LOCK_EXCLUSIVE, 0, NULL, NULL, NULL, &error);
  lm_lock_remove_file (old);
  g_autoptr (LmLock) fresh = lm_lock_acquire (f->path, LM_LOCK_EXCLUSIVE, 0, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (fresh);
  g_clear_pointer (&old, lm_lock_release);
  g_assert_true (is_held (f));
}

/* A name that cannot be examined is not taken for another file's, because trying
 * again would never end. */
static void
test_error (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  faulty_fstatat = TRUE;
  g_assert_null (lm_lock_acquire (f->path, LM_LOCK_EXCLUSIVE, -1, NULL, NULL, NULL, &error));
  faulty_fstatat = FALSE;
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, f->path));
  g_assert_false (is_held (f));
}

static void
test_death_releases (Fixture *f, gconstpointer data)
{
  int ready[2];
  char c;
  g_assert_cmpint (pipe (ready), ==, 0);
  pid_t pid = fork ();
  if (pid == 0)
    {
      LmLock *lock = lm_lock_acquire (f->path, LM_LOCK_EXCLUSIVE, 0, NULL, NULL, NULL, NULL);
      if (lock == NULL || write (ready[1], "x", 1) != 1)
        _exit (1);
      for (;;)
        pause ();
    }
  g_assert_cmpint (read (ready[0], &c, 1), ==, 1);
  g_assert_true (is_held (f));
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (LmLock) lock = lm_lock_acquire (f->path, LM_LOCK_EXCLUSIVE, 0, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  close (ready[0]);
  close (ready[1]);
}

/* A cancelled caller does not get the lock, neither after waiting nor a free one. */
static void
test_cancelled (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (LmLock) held = lm_lock_acquire (f->path, LM_LOCK_EXCLUSIVE, 0, NULL, NULL, NULL, &error);
  GThread *thread = cancel_after (cancellable, 100);
  g_assert_null (lm_lock_acquire (f->path, LM_LOCK_SHARED, -1, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  g_clear_error (&error);
  g_clear_pointer (&held, lm_lock_release);
  for (int timeout = -1; timeout <= 1; timeout++)
    {
      g_assert_null (lm_lock_acquire (f->path, LM_LOCK_EXCLUSIVE, timeout, NULL, NULL, cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&error);
    }
  g_assert_false (is_held (f));
}

static gboolean
try_number (Fixture *f, guint64 number, LmLockMode mode)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLock) table = lm_lock_table_open (f->path, &error);
  g_assert_no_error (error);
  gboolean locked = lm_lock_table_lock (table, number, mode, 0, NULL, &error);
  if (!locked)
    g_assert_error (error, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY);
  return locked;
}

/* A table has any number of locks in one file, which stays empty; a killed holder
 * leaves nothing. */
static void
test_table (Fixture *f, gconstpointer data)
{
  static const guint64 numbers[] = { 0, 1, 1000, G_MAXUINT32, G_GUINT64_CONSTANT (1) << 61, G_MAXUINT64 };
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLock) table = lm_lock_table_open (f->path, &error);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_assert_true (try_number (f, numbers[i], LM_LOCK_EXCLUSIVE));
      g_assert_true (lm_lock_table_lock (table, numbers[i], LM_LOCK_SHARED, 0, NULL, &error));
      g_assert_true (try_number (f, numbers[i], LM_LOCK_SHARED));
      g_assert_false (try_number (f, numbers[i], LM_LOCK_EXCLUSIVE));
      g_assert_true (try_number (f, numbers[i] ^ 2, LM_LOCK_EXCLUSIVE));
      g_assert_true (lm_lock_table_lock (table, numbers[i], LM_LOCK_EXCLUSIVE, 0, NULL, &error));
      g_assert_false (try_number (f, numbers[i], LM_LOCK_SHARED));
      g_assert_no_error (error);
    }
  g_clear_pointer (&table, lm_lock_release);
  int ready[2];
  char byte;
  g_assert_cmpint (pipe (ready), ==, 0);
  pid_t child = fork ();
  if (child == 0)
    {
      table = lm_lock_table_open (f->path, NULL);
      _exit (!lm_lock_table_lock (table, 5, LM_LOCK_EXCLUSIVE, 0, NULL, NULL) || write (ready[1], "x", 1) != 1 || pause ());
    }
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  g_assert_false (try_number (f, 5, LM_LOCK_SHARED));
  g_assert_cmpint (kill (child, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
  g_assert_true (try_number (f, 5, LM_LOCK_EXCLUSIVE));
  struct stat st;
  g_assert_cmpint (stat (f->path, &st), ==, 0);
  g_assert_cmpint (st.st_size, ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0600);
  close (ready[0]);
  close (ready[1]);
}

/* lm_lock_table_is_locked() and lm_lock_table_is_in_use() see the locks of others, in
 * either mode, but not those of the table itself. */
static void
test_table_asked (Fixture *f, gconstpointer data)
{
  static const LmLockMode modes[] = { LM_LOCK_SHARED, LM_LOCK_EXCLUSIVE };
  g_autoptr (LmLock) one = lm_lock_table_open (f->path, NULL);
  g_autoptr (LmLock) other = lm_lock_table_open (f->path, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_false (lm_lock_table_is_locked (other, G_MAXUINT64));
      g_assert_false (lm_lock_table_is_in_use (other));
      g_assert_true (lm_lock_table_lock (one, G_MAXUINT64, modes[i], 0, NULL, NULL));
      g_assert_true (lm_lock_table_is_in_use (other));
      g_assert_false (lm_lock_table_is_in_use (one));
      g_assert_true (lm_lock_table_lock (one, 7, modes[i], 0, NULL, NULL));
      g_assert_false (lm_lock_table_is_locked (one, G_MAXUINT64));
      g_assert_true (lm_lock_table_is_locked (other, G_MAXUINT64));
      g_assert_false (lm_lock_table_is_locked (other, 8));
      lm_lock_table_unlock (one, G_MAXUINT64);
      g_assert_false (lm_lock_table_is_locked (other, G_MAXUINT64));
      g_assert_true (lm_lock_table_is_locked (other, 7));
      g_assert_true (lm_lock_table_is_in_use (other));
      lm_lock_table_unlock (one, 7);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/lock/modes", Fixture, NULL, set_up, test_modes, tear_down);
  g_test_add ("/lock/private", Fixture, NULL, set_up, test_private, tear_down);
  g_test_add ("/lock/removed-file", Fixture, NULL, set_up, test_removed_file, tear_down);
  g_test_add ("/lock/cancelled", Fixture, NULL, set_up, test_cancelled, tear_down);
  g_test_add ("/lock/error", Fixture, NULL, set_up, test_error, tear_down);
  g_test_add ("/lock/death-releases", Fixture, NULL, set_up, test_death_releases, tear_down);
  g_test_add ("/lock/table", Fixture, NULL, set_up, test_table, tear_down);
  g_test_add ("/lock/table-asked", Fixture, NULL, set_up, test_table_asked, tear_down);
  return g_test_run ();
}
