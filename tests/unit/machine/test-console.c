/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/console.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  char *path;
  GCancellable *cancellable;
} Writer;

static void
append (const char *path, const char *text)
{
  FILE *file = g_fopen (path, "ae");
  g_assert_nonnull (file);
  g_assert_cmpint (fputs (text, file), >=, 0);
  g_assert_cmpint (fclose (file), ==, 0);
}

static void
clear_logs (const char *path)
{
  g_unlink (path);
  for (int i = 0; i < 10; i++)
    {
      g_autofree char *old = g_strdup_printf ("%s.%d", path, i);
      g_unlink (old);
    }
}

static char *
log_path (void)
{
  char *path = g_build_filename (g_get_tmp_dir (), "console.log", NULL);
  clear_logs (path);
  return path;
}

/* The text is written late, to a file that does not exist yet, in two halves. */
static gpointer
write_late (gpointer data)
{
  const Writer *writer = data;
  g_usleep (80 * 1000);
  append (writer->path, "booting\nlog");
  g_usleep (120 * 1000);
  append (writer->path, "in: ");
  return NULL;
}

static void
rotate (const char *path)
{
  for (int i = 8; i >= 0; i--)
    {
      g_autofree char *from = i > 0 ? g_strdup_printf ("%s.%d", path, i - 1) : g_strdup (path);
      g_autofree char *to = g_strdup_printf ("%s.%d", path, i);
      (void) g_rename (from, to);
    }
}

/* Checks without waiting whether the log shows that the guest is up. */
static gboolean
is_ready (const char *path, LmConsolePosition *position)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  gboolean ready = lm_console_wait (path, "login:", position, 60, NULL, NULL, cancelled, &error);
  g_assert_true (ready == (error == NULL));
  if (!ready)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return ready;
}

static gpointer
cancel_late (gpointer data)
{
  const Writer *writer = data;
  g_usleep (100 * 1000);
  g_cancellable_cancel (writer->cancellable);
  return NULL;
}

static void
assert_wait_with (GThreadFunc func)
{
  g_autofree char *path = log_path ();
  LmConsolePosition position = { 0 };
  Writer writer = { path, NULL };
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("writer", func, &writer);
  g_assert_true (lm_console_wait (path, "login:", &position, 60, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_thread_join (thread);
}

static void
test_wait (void)
{
  assert_wait_with (write_late);
}

#define OLD_LOG "a line of the old log\n"

typedef struct
{
  const char *path;
  gboolean renames; /* as virtlogd does; otherwise the log is truncated */
  guint asked;
} Rotation;

/* When this is called a second time, the old log has been read to its end once. */
static gboolean
change_log (gpointer user_data)
{
  Rotation *rotation = user_data;
  g_autofree char *old = g_strconcat (rotation->path, ".0", NULL);
  if (++rotation->asked != 2)
    return TRUE;
  if (rotation->renames)
    g_assert_cmpint (g_rename (rotation->path, old), ==, 0);
  else
    g_assert_cmpint (truncate (rotation->path, 0), ==, 0);
  append (rotation->path, "login: ");
  if (rotation->renames) /* longer than the old one, so that its length does not show the change */
    append (rotation->path, "\n" OLD_LOG OLD_LOG);
  return TRUE;
}

static void
test_rotated (gconstpointer renames)
{
  g_autofree char *path = log_path ();
  LmConsolePosition position = { 0 };
  g_autoptr (GError) error = NULL;
  Rotation rotation = { path, GPOINTER_TO_INT (renames), 0 };
  append (path, OLD_LOG);
  g_assert_true (lm_console_wait (path, "login:", &position, 60, change_log, &rotation, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (rotation.asked, ==, 2);
}

static void
test_timed_out (void)
{
  g_autofree char *path = log_path ();
  LmConsolePosition position = { 0 };
  g_autoptr (GError) error = NULL;
  append (path, "BIOS\nkernel starts\n");
  g_assert_false (lm_console_wait (path, "login:", &position, 1, NULL, NULL, NULL, &error));
  g_assert_error (error, LM_CONSOLE_ERROR, LM_CONSOLE_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "kernel starts"));
}

static void
test_across_reads (void)
{
  g_autofree char *path = log_path ();
  LmConsolePosition position = { 0 };
  g_autofree char *filler = g_strnfill (64 * 1024 - 3, 'x');
  g_autoptr (GError) error = NULL;
  append (path, filler);
  append (path, "login: ");
  g_assert_true (lm_console_wait (path, "login:", &position, 1, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
}

static gboolean
is_alive (gpointer user_data)
{
  int *count = user_data;
  return ++*count < 2;
}

static void
test_gone (void)
{
  g_autofree char *path = log_path ();
  LmConsolePosition position = { 0 };
  g_autoptr (GError) error = NULL;
  int count = 0;
  append (path, "panic\x1b[0m\n");
  g_assert_false (lm_console_wait (path, "login:", &position, 60, is_alive, &count, NULL, &error));
  g_assert_error (error, LM_CONSOLE_ERROR, LM_CONSOLE_ERROR_GONE);
  g_assert_nonnull (strstr (error->message, "panic\\033[0m"));
  g_clear_error (&error);
  /* Text that was written before the domain stopped counts. */
  append (path, "login:\n");
  g_assert_true (lm_console_wait (path, "login:", &position, 60, is_alive, &count, NULL, &error));
}

static void
test_cancel (void)
{
  g_autofree char *path = log_path ();
  LmConsolePosition position = { 0 };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Writer writer = { path, cancellable };
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("canceller", cancel_late, &writer);
  g_assert_false (lm_console_wait (path, "login:", &position, 0, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
}

/* Files that virtlogd rotates between two reads are read nevertheless: the end of
 * the old file, then the files in between, none twice. */
typedef struct
{
  char *path;
  guint rotations;
  guint calls;
} Rotator;

static gboolean
rotate_while_waiting (gpointer data)
{
  Rotator *rotator = data;
  if (rotator->calls++ != 1) /* the first call is before the first read */
    return rotator->calls < 30;
  append (rotator->path, "login: ");
  for (guint i = 0; i < rotator->rotations; i++)
    {
      rotate (rotator->path);
      append (rotator->path, "the log goes on\n");
    }
  return TRUE;
}

static void
test_rotated_while_waiting (void)
{
  for (guint rotations = 0; rotations < 5; rotations++)
    {
      g_autofree char *path = log_path ();
      g_autoptr (GError) error = NULL;
      Rotator rotator = { path, rotations, 0 };
      LmConsolePosition position = { 0 };
      append (path, "booting\n");
      g_assert_true (lm_console_wait (path, "login:", &position, 60, rotate_while_waiting, &rotator, NULL, &error));
      g_assert_no_error (error);
    }
}

static void
test_rotated_before (void)
{
  g_autofree char *path = log_path ();
  LmConsolePosition position = { 0 };
  append (path, "booting\nlog");
  rotate (path);
  append (path, "in: ");
  g_assert_true (is_ready (path, &position)); /* the text is split between two files */
  for (guint i = 0; i < 4; i++)
    {
      rotate (path);
      append (path, "flood\n");
      g_assert_true (is_ready (path, &position));
    }
  /* Everything that showed it is rotated out, including the last file that was read. */
  clear_logs (path);
  append (path, "flood\n");
  rotate (path);
  append (path, "flood\n");
  g_assert_true (is_ready (path, &position));
  /* A single log without rotated files belongs to a new start. */
  clear_logs (path);
  append (path, "BIOS\n");
  g_assert_false (is_ready (path, &position));
  append (path, "login: ");
  g_assert_true (is_ready (path, &position));
}

/* Truncated in place, as without virtlogd. */
static void
test_truncated (void)
{
  g_autofree char *path = log_path ();
  LmConsolePosition position = { 0 };
  append (path, "a long line of the first boot\nlogin: ");
  g_assert_true (is_ready (path, &position));
  g_assert_cmpint (truncate (path, 0), ==, 0);
  append (path, "BIOS\n");
  g_assert_false (is_ready (path, &position));
}

static void
test_reboot (void)
{
  const char *const marks[] = { "[  100.5] reboot: Restarting system\n", "reboot: Power down", "reboot: System halted",
                                "[    0.000000] Linux version 6.1.0 (gcc)\n", "Kernel panic - not syncing: Oops\n" };
  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      g_autofree char *path = log_path ();
      LmConsolePosition position = { 0 };
      append (path, "[    0.000000] Linux version 6.1.0\nguest login: ");
      g_assert_true (is_ready (path, &position));
      append (path, "Linux version 6.1.0 is nice\n");
      g_assert_true (is_ready (path, &position));
      LmConsolePosition nothing = { 0 };
      append (path, marks[i]);
      if (i % 2 == 1)
        rotate (path);
      append (path, "GRUB\n");
      g_assert_false (is_ready (path, &position));
      g_assert_false (is_ready (path, &nothing));
      append (path, "guest login: ");
      g_assert_true (is_ready (path, &position));
      g_assert_true (is_ready (path, &nothing));
    }
}

static gboolean
go_down (gpointer user_data)
{
  Rotator *rotator = user_data;
  if (rotator->calls++ == 1)
    append (rotator->path, "login: [    9.1] reboot: Power down\n");
  return rotator->calls < 30;
}

/* A waiting process sees a text that is soon followed by a reboot; a later one does not. */
static void
test_short_life (void)
{
  g_autofree char *path = log_path ();
  g_autoptr (GError) error = NULL;
  Rotator rotator = { path, 0, 0 };
  LmConsolePosition position = { 0 };
  g_assert_true (lm_console_wait (path, "login:", &position, 60, go_down, &rotator, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (is_ready (path, &position));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/console/wait", test_wait);
  g_test_add_data_func ("/console/rotated/renamed", GINT_TO_POINTER (TRUE), test_rotated);
  g_test_add_data_func ("/console/rotated/cut", GINT_TO_POINTER (FALSE), test_rotated);
  g_test_add_func ("/console/rotated-while-waiting", test_rotated_while_waiting);
  g_test_add_func ("/console/rotated-before", test_rotated_before);
  g_test_add_func ("/console/truncated", test_truncated);
  g_test_add_func ("/console/reboot", test_reboot);
  g_test_add_func ("/console/short-life", test_short_life);
  g_test_add_func ("/console/timed-out", test_timed_out);
  g_test_add_func ("/console/across-reads", test_across_reads);
  g_test_add_func ("/console/gone", test_gone);
  g_test_add_func ("/console/cancel", test_cancel);
  return g_test_run ();
}
