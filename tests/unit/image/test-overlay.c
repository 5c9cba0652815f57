/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/overlay.h"
#include "base/file.h"
#include "image/qcow2.h"
#include "io/run.h"
#include "tests/unit/lib/tools.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024 * 1024)

typedef struct
{
  char *dir;
  char *base;
  char *overlay;
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *top = g_dir_make_tmp ("lm-overlay-XXXXXX", &error);
  g_assert_no_error (error);
  /* A name that would be a problem for a shell, QEMU's option parser or its protocol check. */
  f->dir = g_build_filename (top, "a b,c=$(d):e'f", NULL);
  g_assert_true (lm_file_make_dir (f->dir, 0755, &error));
  f->base = g_build_filename (f->dir, "base.qcow2", NULL);
  f->overlay = g_build_filename (f->dir, "overlay.qcow2", NULL);
  g_free (tools_mkqcow2 ("good-v3", f->base, "--size", "4194304", NULL));
}

static void
teardown (Fixture *f, gconstpointer data)
{
  g_autofree char *top = g_path_get_dirname (f->dir);
  g_assert_true (lm_file_remove_tree (top, NULL));
  g_free (f->dir);
  g_free (f->base);
  g_free (f->overlay);
}

static guint
count_files (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  guint count = 0;
  while (g_dir_read_name (dir) != NULL)
    count++;
  g_dir_close (dir);
  return count;
}

static void
test_argv (void)
{
  g_auto (GStrv) with = lm_overlay_argv ("/b", "/o", 5368709120, TRUE);
  g_autofree char *line = g_strjoinv (" ", with);
  g_assert_cmpstr (line, ==, "qemu-img create -q -u -f qcow2 -F qcow2 -b /b "
                             "-o extended_l2=on,cluster_size=128k -- /o 5368709120");
  g_auto (GStrv) without = lm_overlay_argv ("/b", "/o", 5368709120, FALSE);
  g_autofree char *plain = g_strjoinv (" ", without);
  g_assert_cmpstr (plain, ==, "qemu-img create -q -u -f qcow2 -F qcow2 -b /b -- /o 5368709120");
}

static void
test_create (Fixture *f, gconstpointer data)
{
  if (!tools_have ("qemu-img"))
    return;
  g_autoptr (GError) error = NULL;
  guint64 size = 0;
  g_assert_true (lm_overlay_create (f->base, f->overlay, 10 * MIB + 1, &size, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, 10 * MIB + 512);

  LmQcow2Header header;
  g_assert_true (lm_qcow2_read (f->overlay, &header, NULL, &error));
  g_assert_cmpstr (header.backing_name, ==, f->base);
  g_assert_cmpstr (header.backing_format, ==, "qcow2");
  g_assert_cmpuint (header.virtual_size, ==, 10 * MIB + 512);
  g_assert_true (lm_qcow2_has_extended_l2 (&header));
  g_assert_cmpuint (header.cluster_bits, ==, 17);
  struct stat st;
  g_assert_cmpint (stat (f->overlay, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0600);
  g_assert_cmpuint (count_files (f->dir), ==, 2);
  const char *const check[] = { "qemu-img", "check", "-q", "-f", "qcow2", "--", f->overlay, NULL };
  g_free (tools_run (check));
}

static void
test_never_below_base (Fixture *f, gconstpointer data)
{
  if (!tools_have ("qemu-img"))
    return;
  g_autoptr (GError) error = NULL;
  guint64 size = 0;
  g_assert_true (lm_overlay_create (f->base, f->overlay, 1, &size, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, 4 * MIB);
}

/* A second run does nothing, and does not need qemu-img. */
static void
test_again (Fixture *f, gconstpointer data)
{
  if (!tools_have ("qemu-img"))
    return;
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_overlay_create (f->base, f->overlay, 8 * MIB, NULL, NULL, &error));
  g_assert_no_error (error);
  struct stat before, after;
  g_assert_cmpint (stat (f->overlay, &before), ==, 0);
  g_autofree char *path = g_strdup (g_getenv ("PATH"));
  g_setenv ("PATH", "/no/such/directory", TRUE);
  guint64 size = 0;
  g_assert_true (lm_overlay_create (f->base, f->overlay, 6 * MIB, &size, NULL, &error));
  g_assert_no_error (error);
  g_setenv ("PATH", path, TRUE);
  g_assert_cmpuint (size, ==, 8 * MIB);
  g_assert_cmpint (stat (f->overlay, &after), ==, 0);
  g_assert_cmpuint (before.st_ino, ==, after.st_ino);

  g_assert_false (lm_overlay_create (f->base, f->overlay, 9 * MIB, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
}

static void
test_other_file (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_file_write (f->overlay, "precious", 8, 0600, &error));
  g_assert_false (lm_overlay_create (f->base, f->overlay, 1, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_clear_error (&error);
  g_autoptr (GBytes) bytes = lm_file_read (f->overlay, 100, NULL, &error);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 8);
}

static void
test_too_large (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (lm_overlay_create (f->base, f->overlay, G_MAXUINT64, NULL, NULL, &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID);
}

/* Whatever fails, no file is left. */
static void
test_failure_leaves_nothing (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_strdup (g_getenv ("PATH"));
  g_autoptr (GError) error = NULL;
  g_setenv ("PATH", "/no/such/directory", TRUE);
  g_assert_false (lm_overlay_create (f->base, f->overlay, 1, NULL, NULL, &error));
  g_assert_error (error, LM_RUN_ERROR, LM_RUN_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_setenv ("PATH", path, TRUE);
  g_assert_cmpuint (count_files (f->dir), ==, 1);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  g_assert_false (lm_overlay_create (f->base, f->overlay, 1, NULL, cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_autofree char *nowhere = g_build_filename (f->dir, "missing", "overlay", NULL);
  g_assert_false (lm_overlay_create (f->base, nowhere, 1, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  if (!tools_have ("qemu-img"))
    return;
  g_setenv ("LAMINA_TEST_FAULT", "overlay-before-publish=enospc", TRUE);
  g_assert_false (lm_overlay_create (f->base, f->overlay, 1, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_unsetenv ("LAMINA_TEST_FAULT");
  g_assert_cmpuint (count_files (f->dir), ==, 1);
}

/* Creates an overlay with the shell script @script instead of qemu-img. */
static gboolean
create_by (Fixture *f, const char *script, GError **error)
{
  g_autofree char *bin = g_dir_make_tmp ("lm-fake-XXXXXX", NULL);
  g_autofree char *fake = g_build_filename (bin, "qemu-img", NULL);
  g_autofree char *path = g_strdup (g_getenv ("PATH"));
  g_autofree char *fake_path = g_strconcat (bin, ":", path, NULL);
  g_assert_true (lm_file_write (fake, script, strlen (script), 0700, NULL));
  g_setenv ("REAL_PATH", path, TRUE);
  g_setenv ("PATH", fake_path, TRUE);
  gboolean ok = lm_overlay_create (f->base, f->overlay, 1, NULL, NULL, error);
  g_setenv ("PATH", path, TRUE);
  g_assert_true (lm_file_remove_tree (bin, NULL));
  return ok;
}

/* A qemu-img that does not support subclusters. */
static void
test_old_qemu_img (Fixture *f, gconstpointer data)
{
  if (!tools_have ("qemu-img"))
    return;
  g_autoptr (GError) error = NULL;
  g_assert_true (create_by (f, "#!/bin/sh\n"
                               "case \"$*\" in *extended_l2*) echo 'Invalid parameter' >&2; exit 1;; esac\n"
                               "PATH=$REAL_PATH exec qemu-img \"$@\"\n", &error));
  g_assert_no_error (error);
  LmQcow2Header header;
  g_assert_true (lm_qcow2_read (f->overlay, &header, NULL, &error));
  g_assert_false (lm_qcow2_has_extended_l2 (&header));
}

/* A qemu-img that reports success but has created something else or nothing. */
static void
test_wrong_qemu_img (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (create_by (f, "#!/bin/sh\n", &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
  g_clear_error (&error);
  g_assert_false (create_by (f, "#!/bin/sh\nfor a; do case $a in */overlay.qcow2.*) cp \"${a%/*}/base.qcow2\" \"$a\";;"
                                " esac; done\n", &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED);
  g_assert_cmpuint (count_files (f->dir), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/overlay/" name, Fixture, NULL, setup, function, teardown)
  g_test_add_func ("/overlay/argv", test_argv);
  ADD ("create", test_create);
  ADD ("never-below-base", test_never_below_base);
  ADD ("again", test_again);
  ADD ("other-file", test_other_file);
  ADD ("too-large", test_too_large);
  ADD ("failure-leaves-nothing", test_failure_leaves_nothing);
  ADD ("old-qemu-img", test_old_qemu_img);
  ADD ("wrong-qemu-img", test_wrong_qemu_img);
  return g_test_run ();
}
