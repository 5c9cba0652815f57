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

static char *
log_path (void)
{
  char *path = g_build_filename (g_get_tmp_dir (), "console.log", NULL);
  g_unlink (path);
  return path;
}

/* The text comes late, into a file that is not there yet, in two halves. */
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
  Writer writer = { path, NULL };
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("writer", func, &writer);
  g_assert_true (lm_console_wait (path, "login:", 60, NULL, NULL, NULL, &error));
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
  gboolean renames; /* as virtlogd does; else the log is cut where it is */
  guint asked;
} Rotation;

/* Asked a second time the old log has been read once, as far as it goes. */
static gboolean
rotate (gpointer user_data)
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
  if (rotation->renames) /* longer than the old one, so that the length tells nothing */
    append (rotation->path, "\n" OLD_LOG OLD_LOG);
  return TRUE;
}

static void
test_rotated (gconstpointer renames)
{
  g_autofree char *path = log_path ();
  g_autoptr (GError) error = NULL;
  Rotation rotation = { path, GPOINTER_TO_INT (renames), 0 };
  append (path, OLD_LOG);
  g_assert_true (lm_console_wait (path, "login:", 60, rotate, &rotation, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (rotation.asked, ==, 2);
}

static void
test_timed_out (void)
{
  g_autofree char *path = log_path ();
  g_autoptr (GError) error = NULL;
  append (path, "BIOS\nkernel starts\n");
  g_assert_false (lm_console_wait (path, "login:", 1, NULL, NULL, NULL, &error));
  g_assert_error (error, LM_CONSOLE_ERROR, LM_CONSOLE_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "kernel starts"));
}

static void
test_across_reads (void)
{
  g_autofree char *path = log_path ();
  g_autofree char *filler = g_strnfill (64 * 1024 - 3, 'x');
  g_autoptr (GError) error = NULL;
  append (path, filler);
  append (path, "login: ");
  g_assert_true (lm_console_wait (path, "login:", 1, NULL, NULL, NULL, &error));
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
  g_autoptr (GError) error = NULL;
  int count = 0;
  append (path, "panic\x1b[0m\n");
  g_assert_false (lm_console_wait (path, "login:", 60, is_alive, &count, NULL, &error));
  g_assert_error (error, LM_CONSOLE_ERROR, LM_CONSOLE_ERROR_GONE);
  g_assert_nonnull (strstr (error->message, "panic\\033[0m"));
  g_clear_error (&error);
  /* What it said before it stopped counts. */
  append (path, "login:\n");
  g_assert_true (lm_console_wait (path, "login:", 60, is_alive, &count, NULL, &error));
}

static void
test_cancel (void)
{
  g_autofree char *path = log_path ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Writer writer = { path, cancellable };
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("canceller", cancel_late, &writer);
  g_assert_false (lm_console_wait (path, "login:", 0, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/console/wait", test_wait);
  g_test_add_data_func ("/console/rotated/renamed", GINT_TO_POINTER (TRUE), test_rotated);
  g_test_add_data_func ("/console/rotated/cut", GINT_TO_POINTER (FALSE), test_rotated);
  g_test_add_func ("/console/timed-out", test_timed_out);
  g_test_add_func ("/console/across-reads", test_across_reads);
  g_test_add_func ("/console/gone", test_gone);
  g_test_add_func ("/console/cancel", test_cancel);
  return g_test_run ();
}
