/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/content.h"

#include <string.h>

static void
test_recognize (void)
{
  static const struct
  {
    gsize offset;
    const char *bytes;
    const char *what; /* NULL: not known */
  } cases[] = {
    { 0, "\x1f\x8b\x08", "gzip" }, { 0, "\xfd" "7zXZ", "xz" }, { 0, "\x28\xb5\x2f\xfd", "zstd" }, { 0, "BZh9", "bzip2" },
    { 0, "PK\x03\x04", "zip" }, { 257, "ustar", "tar" }, { 0, "QFI\xfb", "qcow2" }, { 510, "\x55\xaa", "raw disk" },
    { 1080, "\x53\xef", "file system" }, { 32769, "CD001", "ISO 9660" }, { 0, "<!DOCTYPE html>", "HTML" },
    { 3, "<html lang=en>", "HTML" }, { 0, "<?xml version='1.0'?>", "XML" }, { 0, "lamina-catalog: 1\n", NULL }, { 0, "{}", NULL },
    { 0, "\x1f", NULL }, { 0, "", NULL }, { 0, "ssh-ed25519 AAAA", NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gsize length = strlen (cases[i].bytes);
      g_autofree char *data = g_malloc (40000);
      memset (data, '\n', 40000);
      memcpy (data + cases[i].offset, cases[i].bytes, length);
      const char *advice = NULL;
      for (gsize size = 0; size < cases[i].offset + length; size += MAX (1, length / 2))
        (void) lm_content_recognize (data, size, NULL);
      const char *what = lm_content_recognize (data, 40000, &advice);
      g_test_message ("%s: %s", cases[i].what, what);
      g_assert_cmpint (what != NULL, ==, cases[i].what != NULL);
      g_assert_cmpint (advice != NULL, ==, what != NULL);
      g_assert_true (what == NULL || strstr (what, cases[i].what) != NULL);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/content/recognize", test_recognize);
  return g_test_run ();
}
