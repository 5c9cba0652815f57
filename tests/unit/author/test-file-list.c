/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/file-list.h"

#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

/* The text has "|" in place of NUL bytes. */
static GBytes *
make_bytes (const char *text)
{
  char *copy = g_strdelimit (g_strdup (text), "|", '\0');
  return g_bytes_new_take (copy, strlen (text));
}

static LmFileList *
make_list (const char *text, const char *digests)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = make_bytes (text);
  LmFileList *list = lm_file_list_new (bytes, &error);
  g_assert_no_error (error);
  if (digests == NULL)
    return list;
  g_autoptr (GBytes) sums = make_bytes (digests);
  g_assert_true (lm_file_list_add_digests (list, sums, &error));
  g_assert_no_error (error);
  return list;
}

/* Compares two lists, and returns the changes as text: letter, path and what of it. */
static char *
compare (const LmFileList *before, const LmFileList *after)
{
  g_autoptr (GArray) changes = lm_file_list_compare (before, after);
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < changes->len; i++)
    {
      const LmFileChange *change = &g_array_index (changes, LmFileChange, i);
      const LmFileEntry *entry = change->after != NULL ? change->after : change->before;
      const char letter = change->before == NULL ? 'A' : change->after == NULL ? 'D' : 'C';
      g_string_append_printf (text, "%s%c %s %u", i > 0 ? ", " : "", letter, entry->path, change->what);
    }
  return g_string_free (text, FALSE);
}

static void
check_texts (const char *before, const char *after, const char *expected)
{
  g_autoptr (LmFileList) one = make_list (before, NULL), other = make_list (after, NULL);
  g_autofree char *got = compare (one, other);
  g_assert_cmpstr (got, ==, expected);
}

static void
test_compare (void)
{
  check_texts ("", "", "");
  check_texts ("", "f 0644 0 0 1 1.0 1.0 /a||", "A /a 0");
  check_texts ("f 0644 0 0 1 1.0 1.0 /a||", "", "D /a 0");
  check_texts ("f 0644 0 0 1 1.0 1.0 /a||f 0644 0 0 1 1.0 1.0 /c||", "f 0644 0 0 1 1.0 1.0 /b||f 0644 0 0 1 1.0 1.0 /c||",
               "D /a 0, A /b 0");
  check_texts ("f 0644 0 0 1 1.0 1.0 /a||", "f 0644 0 0 1 1.0 1.0 /a||", "");
  check_texts ("f 0644 0 0 1 1.0 1.0 /a||", "d 0755 0 0 1 1.0 1.0 /a||", "C /a 1");
  check_texts ("f 0644 0 0 1 1.0 1.0 /a||", "f 4644 0 0 1 1.0 1.0 /a||", "C /a 2");
  check_texts ("f 0644 0 0 1 1.0 1.0 /a||", "f 0644 0 5 1 1.0 1.0 /a||", "C /a 4");
  check_texts ("f 0644 0 0 1 1.0 1.0 /a||", "f 0644 0 0 2 1.0 1.0 /a||", "C /a 8");
  check_texts ("l 0777 0 0 1 1.0 1.0 /a|x|", "l 0777 0 0 1 1.0 1.0 /a|y|", "C /a 8");
  check_texts ("f 0644 0 0 1 1.0 1.0 /a||", "f 0644 0 0 1 1.05 1.0 /a||", "C /a 16");
  check_texts ("f 0644 0 0 1 1.0 1.0 /a||", "f 0644 0 0 1 1.0 2.0 /a||", "C /a 16");
  /* What is in a directory has entries of its own. */
  check_texts ("d 0755 0 0 1 1.0 1.0 /a||", "d 0755 0 0 2 3.0 3.0 /a||", "");
  check_texts ("d 0755 0 0 1 1.0 1.0 /a||", "d 0700 0 0 2 3.0 3.0 /a||", "C /a 2");
  /* Blanks and other bytes in names. */
  check_texts ("", "f 0644 0 0 1 1.0 1.0 /a b\n\xff||", "A /a b\n\xff 0");
}

static void
test_digests (void)
{
  static const char now[] = "f 0644 0 0 1 9.0 9.0 /a||f 0644 0 0 1 9.0 9.0 /b||f 0644 0 0 1 9.0 9.0 /d/c||f 0644 0 0 2 9.0 9.0 /e||";
  g_autoptr (LmFileList) before = make_list ("f 0644 0 0 1 1.0 1.0 /a||f 0644 0 0 1 1.0 1.0 /b||f 0644 0 0 1 1.0 1.0 /d/c||f 0644 0 0 1 1.0 1.0 /e||",
                                             HEX "0  b|" HEX "1  a|" HEX "3  d/c|" HEX "4  gone|");
  g_autoptr (LmFileList) after = make_list (now, HEX "1  a|" HEX "2  b|");
  g_autofree char *got = compare (before, after);
  /* The same content, another one, a digest of one only, none and another size. */
  g_assert_cmpstr (got, ==, "C /b 8, C /d/c 16, C /e 24");
}

static void
test_invalid (void)
{
  static const char *const lists[] = {
    "x",
    "f 0644 0 0 1 1.0 1.0 /a|",
    "f 0644 0 0 1 1.0 1.0 /a|x",
    "ff 0644 0 0 1 1.0 1.0 /a||",
    "f 9 0 0 1 1.0 1.0 /a||",
    "f 77777 0 0 1 1.0 1.0 /a||",
    "f 0644 -1 0 1 1.0 1.0 /a||",
    "f 0644 0 4294967296 1 1.0 1.0 /a||",
    "f 0644 0 0 9223372036854775808 1.0 1.0 /a||",
    "f 0644 0 0 1 1.0 /a||",
    "f 0644 0 0 1  1.0 /a||",
    "f 0644 0 0 1 1.0 1.0 a||",
    "f 0644 0 0 1 1.0 1.0 /b||f 0644 0 0 1 1.0 1.0 /a||",
    "f 0644 0 0 1 1.0 1.0 /a||f 0644 0 0 1 1.0 1.0 /a||",
    "||",
  };
  static const char *const digests[] = { "x", HEX "0  a", HEX "0|", HEX "0  |", HEX "  a|", HEX "00 a|", HEX "G  a|" };
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) bytes = make_bytes (lists[i]);
      g_assert_null (lm_file_list_new (bytes, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (digests); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmFileList) list = make_list ("f 0644 0 0 1 1.0 1.0 /a||", NULL);
      g_autoptr (GBytes) bytes = make_bytes (digests[i]);
      g_assert_false (lm_file_list_add_digests (list, bytes, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/author/file-list/compare", test_compare);
  g_test_add_func ("/author/file-list/digests", test_digests);
  g_test_add_func ("/author/file-list/invalid", test_invalid);
  return g_test_run ();
}
