/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/qcow2.h"
#include "base/file.h"
#include "image/vet.h"
#include "tests/unit/lib/tools.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define PARENT_NAME "sha256-" ZEROS ".qcow2"

static const LmDigest parent = { { 0 } };

typedef struct
{
  char *dir;
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->dir = g_dir_make_tmp ("lm-qcow2-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
teardown (Fixture *f, gconstpointer data)
{
  g_assert_true (lm_file_remove_tree (f->dir, NULL));
  g_free (f->dir);
}

static void
assert_message (const GError *error, const char *text)
{
  if (strstr (error->message, text) == NULL)
    g_error ("\"%s\" is not in \"%s\"", text, error->message);
}

/* Checks the kind in one line of "mkqcow2.py --list". */
static void
check_kind (const char *dir, const char *line)
{
  g_auto (GStrv) fields = g_strsplit (line, "\t", -1);
  g_assert_cmpuint (g_strv_length (fields), ==, 3);
  const char *why = fields[2];
  const LmDigest *declared = strcmp (fields[1], "child") == 0 ? &parent : NULL;
  g_autofree char *path = g_build_filename (dir, fields[0], NULL);
  g_test_message ("%s", line);

  g_autoptr (GError) error = NULL;
  LmQcow2Header header;
  guint64 file_size;
  gboolean ok = lm_qcow2_read (path, &header, &file_size, &error)
                && lm_qcow2_check_layer (&header, file_size, declared, &error);
  if (strcmp (why, "good") == 0)
    {
      g_assert_no_error (error);
      g_assert_true (ok);
      g_assert_cmpuint (header.virtual_size, ==, 1 << 20);
      return;
    }
  g_assert_false (ok);
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
  assert_message (error, why);

  /* The complete vetting gives the same result, without running qemu-img. */
  g_autoptr (GError) vet_error = NULL;
  g_assert_false (lm_image_vet (path, "layer x", declared, NULL, NULL, &vet_error));
  g_assert_error (vet_error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
  assert_message (vet_error, why);
  assert_message (vet_error, "layer x is refused as a layer: ");
}

static void
test_made (Fixture *f, gconstpointer data)
{
  g_free (tools_mkqcow2 ("--all", f->dir, NULL));
  g_autofree char *text = tools_mkqcow2 ("--list", NULL);
  g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), >, 100);
  for (gsize i = 0; lines[i] != NULL; i++)
    check_kind (f->dir, lines[i]);
}

/* A valid header with each byte flipped, and truncated after each byte: there is
 * never a crash, and whatever is accepted still has exactly the right parent. */
static void
test_mutated (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "good", NULL);
  g_free (tools_mkqcow2 ("good-v3-child", path, NULL));
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = lm_file_read (path, 1 << 20, NULL, &error);
  g_assert_no_error (error);
  gsize size;
  const guint8 *good = g_bytes_get_data (bytes, &size);
  LmQcow2Header header;
  for (gsize at = 0; at < 256; at++)
    for (guint bit = 0; bit < 8; bit++)
      {
        g_autofree guint8 *copy = g_memdup2 (good, size);
        copy[at] ^= (guint8) (1 << bit);
        if (lm_qcow2_parse (copy, size, size, &header, NULL)
            && lm_qcow2_check_layer (&header, size, &parent, NULL))
          g_assert_cmpstr (header.backing_name, ==, PARENT_NAME);
      }
  for (gsize cut = 0; cut < 3 * 65536 + 8; cut += cut < 256 ? 1 : 64)
    {
      g_autofree guint8 *copy = g_memdup2 (good, MAX (cut, 1));
      gboolean ok = lm_qcow2_parse (copy, cut, cut, &header, NULL)
                    && lm_qcow2_check_layer (&header, cut, &parent, NULL);
      g_assert_false (ok);
    }
}

typedef struct
{
  const char *name;
  const char *options;
  gboolean child;
} Made;

static const Made made[] = {
  { "v2", "compat=0.10", FALSE },
  { "v3", "compat=1.1", FALSE },
  { "extended-l2", "extended_l2=on,cluster_size=128k", FALSE },
  { "zstd", "compression_type=zstd", FALSE },
  { "lazy", "lazy_refcounts=on", FALSE },
  { "small", "cluster_size=512", FALSE },
  { "large", "cluster_size=2M", FALSE },
  { "refcount-1", "refcount_bits=1", FALSE },
  { "refcount-64", "refcount_bits=64", FALSE },
  { "preallocated", "preallocation=metadata", FALSE },
  { "v2-child", "compat=0.10", TRUE },
  { "v3-child", "compat=1.1", TRUE },
  { "extended-child", "extended_l2=on,cluster_size=128k", TRUE },
};

/* Images created by qemu-img are accepted; the parent itself does not exist. */
static void
test_qemu_img (Fixture *f, gconstpointer data)
{
  if (!tools_have ("qemu-img"))
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (made); i++)
    {
      g_test_message ("%s", made[i].name);
      g_autofree char *path = g_build_filename (f->dir, made[i].name, NULL);
      const char *const base[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-o", made[i].options,
                                   path,       "32M",    NULL };
      const char *const child[] = { "qemu-img",  "create", "-q", "-u",            "-f", "qcow2", "-F", "qcow2", "-b",
                                    PARENT_NAME, "-o",     made[i].options, path, "32M", NULL };
      g_free (tools_run (made[i].child ? child : base));
      g_autoptr (GError) error = NULL;
      guint64 virtual_size = 0;
      g_assert_true (lm_image_vet (path, made[i].name, made[i].child ? &parent : NULL, &virtual_size, NULL, &error));
      g_assert_no_error (error);
      g_assert_cmpuint (virtual_size, ==, 32 << 20);
      g_assert_false (lm_image_vet (path, made[i].name, made[i].child ? NULL : &parent, NULL, NULL, &error));
      g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
    }
}

/* An image with compressed data, and one that really has a snapshot. */
static void
test_with_data (Fixture *f, gconstpointer data)
{
  if (!tools_have ("qemu-img"))
    return;
  g_autofree char *raw = g_build_filename (f->dir, "raw", NULL);
  g_autofree char *packed = g_build_filename (f->dir, "packed", NULL);
  g_autofree char *content = g_strnfill (1 << 20, 'x');
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_file_write (raw, content, 1 << 20, 0600, &error));
  const char *const convert[] = { "qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2",
                                  "-o", "compression_type=zstd", raw, packed, NULL };
  const char *const snapshot[] = { "qemu-img", "snapshot", "-c", "one", packed, NULL };
  g_free (tools_run (convert));
  g_assert_true (lm_image_vet (packed, "packed", NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_free (tools_run (snapshot));
  g_assert_false (lm_image_vet (packed, "packed", NULL, NULL, NULL, &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
  assert_message (error, "snapshots");
}

/* A FIFO does not block, and a symbolic link is not followed. */
static void
test_not_a_file (Fixture *f, gconstpointer data)
{
  g_autofree char *fifo = g_build_filename (f->dir, "fifo", NULL);
  g_autofree char *link = g_build_filename (f->dir, "link", NULL);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_cmpint (symlink ("/dev/zero", link), ==, 0);
  g_autoptr (GError) error = NULL;
  g_assert_false (lm_image_vet (fifo, "fifo", NULL, NULL, NULL, &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
  assert_message (error, "not a regular file");
  g_clear_error (&error);
  g_assert_false (lm_image_vet (link, "link", NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_LINKS);
  g_clear_error (&error);
  g_assert_false (lm_image_vet ("/no/such/file", "none", NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

/* A fake qemu-img that edits the output of the real one. */
#define EDIT(expression) "PATH=\"$REAL_PATH\"; qemu-img \"$@\" | sed '" expression "'"

/* A qemu-img that disagrees: a fake one, which is first in PATH. */
static void
test_disagreement (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *script;
    LmImageError code;
  } fakes[] = {
    { "exit 1", LM_IMAGE_ERROR_REFUSED },
    { "kill -XCPU $$", LM_IMAGE_ERROR_FAILED },
    { "kill -KILL $$", LM_IMAGE_ERROR_FAILED },
    { "ulimit -n 3; exec cat /dev/null", LM_IMAGE_ERROR_FAILED },
    { "echo \"qemu-img: Could not open '$6': Input/output error\" >&2; exit 1", LM_IMAGE_ERROR_FAILED },
    { "echo \"qemu-img: Could not open '$6': Cannot allocate memory\" >&2; exit 1", LM_IMAGE_ERROR_FAILED },
    { "echo \"qemu-img: Could not open '$6': Image is corrupt\" >&2; exit 1", LM_IMAGE_ERROR_REFUSED },
    { "yes", LM_IMAGE_ERROR_REFUSED },
    { "echo '{}'", LM_IMAGE_ERROR_REFUSED },
    { "echo '[]'", LM_IMAGE_ERROR_FAILED },
    { "echo no json", LM_IMAGE_ERROR_FAILED },
    { EDIT ("s/: 1048576/: 1048577/"), LM_IMAGE_ERROR_REFUSED },
    { EDIT ("s/: 65536/: 131072/"), LM_IMAGE_ERROR_REFUSED },
    { EDIT ("s/\"format\": \"qcow2\"/\"format\": \"raw\"/"), LM_IMAGE_ERROR_REFUSED },
    { EDIT ("s/\"format-specific\"/\"x\"/"), LM_IMAGE_ERROR_REFUSED },
    { EDIT ("s/\"dirty-flag\": false/\"encrypted\": true/"), LM_IMAGE_ERROR_REFUSED },
    { EDIT ("s/\"dirty-flag\": false/\"snapshots\": []/"), LM_IMAGE_ERROR_REFUSED },
    { EDIT ("s/\"dirty-flag\": false/\"backing-filename\": \"x\"/"), LM_IMAGE_ERROR_REFUSED },
    { EDIT ("s/\"corrupt\": false/\"data-file\": \"x\"/"), LM_IMAGE_ERROR_REFUSED },
    { EDIT ("s/\"extended-l2\": false/\"extended-l2\": true/"), LM_IMAGE_ERROR_REFUSED },
  };
  if (!tools_have ("qemu-img"))
    return;
  g_autofree char *path = g_build_filename (f->dir, "good", NULL);
  g_free (tools_mkqcow2 ("good-v3", path, NULL));
  g_autofree char *fake = g_build_filename (f->dir, "qemu-img", NULL);
  g_autofree char *real_path = g_strdup (g_getenv ("PATH"));
  g_autofree char *fake_path = g_strconcat (f->dir, ":", real_path, NULL);
  g_setenv ("REAL_PATH", real_path, TRUE);
  g_setenv ("PATH", fake_path, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (fakes); i++)
    {
      g_test_message ("%s", fakes[i].script);
      g_autofree char *text = g_strdup_printf ("#!/bin/sh\n%s\n", fakes[i].script);
      g_autoptr (GError) error = NULL;
      g_assert_true (lm_file_write (fake, text, strlen (text), 0700, &error));
      g_assert_false (lm_image_vet (path, "good", NULL, NULL, NULL, &error));
      g_assert_error (error, LM_IMAGE_ERROR, (int) fakes[i].code);
    }
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  g_assert_false (lm_image_vet (path, "good", NULL, NULL, cancelled, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_setenv ("PATH", "/no/such/directory", TRUE);
  g_assert_false (lm_image_vet (path, "good", NULL, NULL, NULL, &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED);
  g_setenv ("PATH", real_path, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/qcow2/" name, Fixture, NULL, setup, function, teardown)
  ADD ("made", test_made);
  ADD ("mutated", test_mutated);
  ADD ("qemu-img", test_qemu_img);
  ADD ("with-data", test_with_data);
  ADD ("not-a-file", test_not_a_file);
  ADD ("disagreement", test_disagreement);
  return g_test_run ();
}
