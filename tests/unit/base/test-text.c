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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/normalize", test_normalize);
  return g_test_run ();
}
