/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/boot.h"
#include "base/fd.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
tmp_path (const char *name)
{
  return g_build_filename (g_get_tmp_dir (), name, NULL);
}

static void
assert_copied (gsize size)
{
  g_autofree char *blob = tmp_path ("blob");
  g_autofree char *copy = tmp_path ("copy");
  g_autofree char *data = g_malloc (MAX (size, 1));
  g_autofree char *read = NULL;
  gsize read_size;
  g_autoptr (GError) error = NULL;
  GStatBuf st;
  for (gsize i = 0; i < size; i++)
    data[i] = (char) (i % 251);
  g_file_set_contents (blob, data, (gssize) size, &error);
  g_assert_no_error (error);
  mode_t before = umask (0777);
  gboolean copied = lm_boot_copy (blob, copy, NULL, &error);
  umask (before);
  g_assert_no_error (error);
  g_assert_true (copied);
  g_file_get_contents (copy, &read, &read_size, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (data, size, read, read_size);
  g_assert_cmpint (g_stat (copy, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0444);

  lm_autofd int fd = lm_boot_open (copy, &error);
  g_assert_no_error (error);
  g_assert_false (lm_boot_copy (blob, copy, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_cmpint (g_unlink (copy), ==, 0);
  /* It does not matter any more who may open the file. */
  g_assert_true (lm_boot_sync (fd, copy, &error));
  g_assert_no_error (error);
  g_assert_cmpint (lm_boot_open (copy, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

static void
test_copy (void)
{
  assert_copied (0);
  assert_copied (1);
  assert_copied (300 * 1000);
}

/* Files in /proc cannot be copied with copy_file_range(2). */
static void
test_copy_by_hand (void)
{
  g_autofree char *copy = tmp_path ("by-hand");
  g_autofree char *expected = NULL;
  g_autofree char *read = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_boot_copy ("/proc/version", copy, NULL, &error));
  g_assert_no_error (error);
  g_file_get_contents ("/proc/version", &expected, NULL, NULL);
  g_file_get_contents (copy, &read, NULL, NULL);
  g_assert_cmpstr (read, ==, expected);
}

static void
test_failure (void)
{
  g_autofree char *blob = tmp_path ("blob2");
  g_autofree char *copy = tmp_path ("copy2");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_assert_false (lm_boot_copy (blob, copy, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, blob));
  g_clear_error (&error);
  g_file_set_contents (blob, "kernel", -1, NULL);
  g_cancellable_cancel (cancellable);
  g_assert_false (lm_boot_copy (blob, copy, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (g_file_test (copy, G_FILE_TEST_EXISTS));
}

static void
test_replace (void)
{
  g_autofree char *dir = g_dir_make_tmp ("lm-boot-XXXXXX", NULL);
  g_autofree char *blob = g_build_filename (dir, "blob", NULL);
  g_autofree char *copy = g_build_filename (dir, "copy", NULL);
  g_autofree char *large = g_strnfill (300 * 1000, 'x');
  const char *const contents[] = { "", "kernel", large };
  const char *const others[] = { NULL, "", "kernes", "kernel2" };
  for (gsize i = 0; i < G_N_ELEMENTS (contents); i++)
    for (gsize j = 0; j <= G_N_ELEMENTS (others); j++)
      {
        g_autoptr (GError) error = NULL;
        const LmDigest digest = lm_digest_of_text (contents[i]);
        gboolean intact = FALSE;
        g_assert_true (g_file_set_contents (blob, contents[i], -1, NULL));
        g_unlink (copy);
        if (j == G_N_ELEMENTS (others))
          g_assert_cmpint (symlink (blob, copy), ==, 0); /* not a copy */
        else if (others[j] != NULL)
          g_assert_true (g_file_set_contents (copy, others[j], -1, NULL));
        g_assert_true (lm_boot_check (copy, &digest, &intact, NULL, &error));
        g_assert_true (intact == (i == 0 && j == 1));
        g_assert_true (lm_boot_replace (blob, copy, NULL, &error));
        g_assert_no_error (error);
        g_assert_true (lm_boot_check (copy, &digest, &intact, NULL, &error));
        g_assert_true (intact);
      }
  /* A failure leaves nothing. */
  g_assert_cmpint (g_unlink (blob), ==, 0);
  g_assert_false (lm_boot_replace (blob, copy, NULL, NULL));
  g_assert_cmpint (g_unlink (copy), ==, 0);
  g_assert_cmpint (g_mkdir (copy, 0700), ==, 0);
  g_assert_true (g_file_set_contents (blob, "x", -1, NULL));
  g_assert_false (lm_boot_replace (blob, copy, NULL, NULL));
  g_assert_cmpint (g_rmdir (copy), ==, 0);
  g_assert_cmpint (g_unlink (blob), ==, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/boot/copy", test_copy);
  g_test_add_func ("/boot/copy-by-hand", test_copy_by_hand);
  g_test_add_func ("/boot/failure", test_failure);
  g_test_add_func ("/boot/replace", test_replace);
  return g_test_run ();
}
