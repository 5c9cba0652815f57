/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/delta.h"
#include "base/file.h"
#include "image/overlay.h"
#include "image/qcow2.h"
#include "image/vet.h"
#include "io/run.h"
#include "tests/unit/lib/tools.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1024 * 1024)

typedef struct
{
  char *top;
  char *dir;
  char *base; /* of 8 MiB; the second MiB is full */
  LmDigest digest;
  char *overlay;
  char *delta;
} Fixture;

static void
io (const char *image, const char *command)
{
  const char *const argv[] = { "qemu-io", "-f", "qcow2", "-c", command, image, NULL };
  g_free (tools_run (argv));
}

static void
setup (Fixture *f, gconstpointer data)
{
  f->top = g_dir_make_tmp ("lm-delta-XXXXXX", NULL);
  f->dir = g_build_filename (f->top, "a b,c=$(d):e'f", NULL);
  g_assert_true (lm_file_make_dir (f->dir, 0755, NULL));
  f->digest = lm_digest_of_text ("base");
  g_autofree char *name = lm_digest_file_name (&f->digest, ".qcow2");
  f->base = g_build_filename (f->dir, name, NULL);
  f->overlay = g_build_filename (f->dir, "overlay.qcow2", NULL);
  f->delta = g_build_filename (f->dir, "delta.qcow2", NULL);
  if (!tools_have ("qemu-img") || !tools_have ("qemu-io"))
    return;
  const char *const create[] = { "qemu-img", "create", "-q", "-f", "qcow2", "--", f->base, "8M", NULL };
  g_free (tools_run (create));
  io (f->base, "write -P 1 1M 1M");
  g_assert_true (lm_image_make_workspace (f->base, f->overlay, NULL, NULL));
}

static void
teardown (Fixture *f, gconstpointer data)
{
  g_assert_true (lm_file_remove_tree (f->top, NULL));
  g_free (f->top);
  g_free (f->dir);
  g_free (f->base);
  g_free (f->overlay);
  g_free (f->delta);
}

static gboolean
is_ready (const Fixture *f)
{
  return g_file_test (f->overlay, G_FILE_TEST_EXISTS);
}

static goffset
size_of (const char *path)
{
  struct stat st;
  g_assert_cmpint (stat (path, &st), ==, 0);
  return st.st_size;
}

static guint
count_files (const char *path)
{
  g_autoptr (GPtrArray) names = lm_file_list_dir (path, NULL);
  return names->len;
}

static void
test_content (Fixture *f, gconstpointer data)
{
  if (!is_ready (f))
    return;
  g_autoptr (GError) error = NULL;
  /* Written again as it was, changed, made zero, and written beside. */
  io (f->overlay, "write -P 1 1M 512k");
  io (f->overlay, "write -P 2 1568k 4k");
  io (f->overlay, "write -P 0 1600k 128k");
  io (f->overlay, "write -P 3 5M 8k");
  g_assert_true (lm_image_make_delta (f->overlay, f->base, &f->digest, f->delta, NULL, &error));
  g_assert_no_error (error);
  const char *const compare[] = { "qemu-img", "compare", "-q", "-f", "qcow2", "-F", "qcow2", "--", f->overlay, f->delta, NULL };
  g_free (tools_run (compare));
  /* Three blocks of data, and tables. */
  g_assert_cmpint (size_of (f->delta), <, 64 * 1024);
  guint64 size;
  g_assert_true (lm_image_vet (f->delta, "delta", &f->digest, &size, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, 8 * MIB);
  struct stat st;
  g_assert_cmpint (stat (f->delta, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0600);
  g_assert_cmpuint (count_files (f->dir), ==, 3);
  /* Written over itself, it is the same. */
  g_autoptr (GBytes) once = lm_file_read (f->delta, MIB, NULL, NULL);
  g_assert_true (lm_image_make_delta (f->overlay, f->base, &f->digest, f->delta, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (GBytes) twice = lm_file_read (f->delta, MIB, NULL, NULL);
  g_assert_true (g_bytes_equal (once, twice));
}

/* Equal content, written in another order, gives the same file. */
static void
test_same (Fixture *f, gconstpointer data)
{
  if (!is_ready (f))
    return;
  g_autoptr (GError) error = NULL;
  g_autofree char *other = g_build_filename (f->dir, "other.qcow2", NULL), *second = g_build_filename (f->dir, "second.qcow2", NULL);
  g_assert_true (lm_overlay_create (f->base, other, 0, NULL, NULL, NULL));
  io (f->overlay, "write -P 2 2M 64k");
  io (f->overlay, "write -P 3 6M 64k");
  io (other, "write -P 9 4M 64k");
  io (other, "write -P 3 6M 64k");
  io (other, "write -P 0 4M 64k");
  io (other, "write -P 2 2M 64k");
  g_assert_true (lm_image_make_delta (f->overlay, f->base, &f->digest, f->delta, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (lm_image_make_delta (other, f->base, &f->digest, second, NULL, &error));
  g_assert_no_error (error);
  g_autoptr (GBytes) one = lm_file_read (f->delta, MIB, NULL, NULL), two = lm_file_read (second, MIB, NULL, NULL);
  g_assert_true (g_bytes_equal (one, two));
}

static void
test_workspace (Fixture *f, gconstpointer data)
{
  if (!is_ready (f))
    return;
  g_autoptr (GError) error = NULL;
  LmQcow2Header header;
  g_assert_true (lm_qcow2_read (f->overlay, &header, NULL, &error));
  g_assert_cmpstr (header.backing_name, ==, f->base);
  g_assert_cmpuint (header.virtual_size, ==, 8 * MIB);
  /* A block that was written and given back is not in the layer. */
  io (f->overlay, "write -P 5 3080k 4k");
  const char *const discard[] = { "qemu-io", "-f", "qcow2", "-d", "unmap", "-c", "discard 3080k 4k", f->overlay, NULL };
  g_free (tools_run (discard));
  g_assert_true (lm_image_make_delta (f->overlay, f->base, &f->digest, f->delta, NULL, &error));
  g_assert_no_error (error);
  const char *const map[] = { "qemu-img", "map", "-f", "qcow2", "--output=json", "--", f->delta, NULL };
  g_autofree char *text = tools_run (map);
  g_assert_null (strstr (text, "\"depth\": 0, \"present\": true, \"zero\": false"));
}

static void
test_failure (Fixture *f, gconstpointer data)
{
  if (!is_ready (f))
    return;
  g_autoptr (GError) error = NULL;
  g_assert_false (lm_image_make_delta (f->base, f->base, &f->digest, f->delta, NULL, &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
  g_clear_error (&error);
  g_setenv ("LAMINA_TEST_FAULT", "delta-after-write=enospc", TRUE);
  g_assert_false (lm_image_make_delta (f->overlay, f->base, &f->digest, f->delta, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_unsetenv ("LAMINA_TEST_FAULT");
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  g_assert_false (lm_image_make_delta (f->overlay, f->base, &f->digest, f->delta, cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (count_files (f->dir), ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/delta/" name, Fixture, NULL, setup, function, teardown)
  ADD ("content", test_content);
  ADD ("same", test_same);
  ADD ("workspace", test_workspace);
  ADD ("failure", test_failure);
  return g_test_run ();
}
