/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/text.h"

#include <string.h>

#define CASE(input, output) { input, sizeof input - 1, output, sizeof output - 1 }

static void
test_normalize (void)
{
  static const struct
  {
    const char *input;
    gsize size;
    const char *output;
    gsize length;
  } cases[] = {
    CASE ("", ""),
    CASE ("a", "a"),
    CASE ("a\r\nb\n", "a\r\nb\n"),
    CASE ("\xef\xbb\xbf", ""),
    CASE ("\xef\xbb\xbf" "a\xef\xbb\xbf", "a\xef\xbb\xbf"),
    CASE ("\xef\xbb", "\xef\xbb"),
    CASE ("\xff\xfe" "a\0\xfc\0", "a\xc3\xbc"),
    CASE ("\xfe\xff" "\0a\0\xfc", "a\xc3\xbc"),
    CASE ("\xff\xfe", ""),
    CASE ("\xff\xfe" "a", "\xff\xfe" "a"),
    CASE ("\xff\xfe\0\xd8", "\xff\xfe\0\xd8"),
    CASE ("\x1f\x8b\x08\0", "\x1f\x8b\x08\0"),
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) input = g_bytes_new_static (cases[i].input, cases[i].size);
      g_autoptr (GBytes) output = lm_text_normalize (input);
      g_assert_cmpmem (g_bytes_get_data (output, NULL), g_bytes_get_size (output), cases[i].output, cases[i].length);
    }
}

static void
test_unprintable (void)
{
  static const gunichar bad[] = { 0x01,   0x09,   0x0a,   0x1b,   0x7f,   0x85,   0x9b,   0xad,   0x61c,  0x180e, 0x200b, 0x200e,
                                  0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2060, 0x2066, 0x2067, 0x2068,
                                  0x2069, 0x206f, 0xfeff, 0xfff9, 0xe0001, 0xe0041 };
  static const char *const good[] = { "", "a b", "B\u00fccher", "\u05d0\u05d1", "\u0645\u06cc\u200c\u062e", "\U0001f469\u200d\U0001f680",
                                      "\u65e5\u672c", "\U0001f680" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_null (lm_text_find_unprintable (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      char c[7] = { 0 };
      (void) g_unichar_to_utf8 (bad[i], c);
      g_autofree char *text = g_strconcat ("\u00fc", c, "x", NULL);
      g_test_message ("U+%04X", bad[i]);
      g_assert_true (lm_text_find_unprintable (text) == text + 2);
    }
}

static void
test_word (void)
{
  static const struct
  {
    const char *text, *extra;
    gboolean word;
  } cases[] = {
    { "a", "", TRUE },   { "web1", "", TRUE },   { "a.b-c", "-.", TRUE },  { "12345678", "", TRUE },    { "", "", FALSE },
    { ".a", ".", FALSE }, { "a.b", "-", FALSE },  { "a b", ".", FALSE },    { "\xc3\xbc", "", FALSE }, { "123456789", "", FALSE },
    { "a\n", ".", FALSE }, { "a/b", "._-", FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (lm_text_is_word (cases[i].text, cases[i].extra, 8), ==, cases[i].word);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/normalize", test_normalize);
  g_test_add_func ("/text/unprintable", test_unprintable);
  g_test_add_func ("/text/word", test_word);
  return g_test_run ();
}
