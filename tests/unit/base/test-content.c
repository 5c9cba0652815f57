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
    const char *what; /* NULL if it is not recognized */
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

/* Files that may be there instead of a layer. */
static void
test_describe (void)
{
  static const struct
  {
    const char *bytes;
    gsize size;
    const char *what;
  } cases[] = {
    { "not found", 9, "text, \"not found\"; the URL" },
    { " \n404 Not\tFound: \"x\"\n", 21, "text, \"404 Not Found: 'x'\"; the URL" },
    { "{\"error\": {\"code\": 404, \"message\": \"no such blob\"}}", 51, "JSON, \"{'error': {'code': 404" },
    { "gr\xc3\xbc\xc3\x9f", 6, "text, \"gr\xc3\xbc\xc3\x9f\"" },
    { "", 0, NULL },
    { "\0\0\0\0\0\0", 6, "zeros" },
    { "%PDF-1.4", 8, "a PDF document" },
    { "\x1b[2J not found", 14, NULL },
    { "\xff\xfb\x10", 3, NULL },
    { "\0\0\1", 3, NULL },
    { "QFI\xfb", 4, NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = lm_content_describe (cases[i].bytes, cases[i].size);
      g_test_message ("%s", text);
      g_assert_cmpint (*text != '\0', ==, cases[i].what != NULL);
      g_assert_true (cases[i].what == NULL || strstr (text, cases[i].what) != NULL);
    }
  g_autofree char *longer = g_strnfill (4000, 'x');
  g_autofree char *text = lm_content_describe (longer, 4000);
  g_assert_nonnull (strstr (text, "xxx...\""));
  memcpy (longer + LM_CONTENT_HEAD - 1, "\xc3\xbc", 2);
  g_autofree char *cut = lm_content_describe (longer, 4000);
  g_assert_cmpstr (cut, ==, text);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/content/recognize", test_recognize);
  g_test_add_func ("/content/describe", test_describe);
  return g_test_run ();
}
