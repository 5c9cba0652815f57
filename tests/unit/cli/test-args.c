/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/args.h"

static const LmOption global_options[] = {
  { "connect", 'c', LM_OPTION_VALUE, "URI", "", LM_COMPLETE_NONE },
  { "verbose", 'v', LM_OPTION_FLAG, NULL, "", LM_COMPLETE_NONE },
  { NULL },
};

static const LmOption verb_options[] = {
  { "network", 0, LM_OPTION_VALUE | LM_OPTION_MULTIPLE, "N", "", LM_COMPLETE_NONE },
  { "wait", 0, LM_OPTION_VALUE | LM_OPTION_OPTIONAL, "S", "", LM_COMPLETE_NONE },
  { NULL },
};

static const LmOption *const tables[] = { global_options, verb_options, NULL };

static LmArgs *
parse (const char *line, gboolean first_word_ends, int *out_used, GError **error)
{
  g_auto (GStrv) argv = NULL;
  int argc;
  g_assert_true (g_shell_parse_argv (line, &argc, &argv, NULL));
  g_autoptr (LmArgs) args = lm_args_new (tables);
  /* getopt changes the order of the array, but not the strings. */
  return lm_args_parse (args, argc, argv, first_word_ends, out_used, error) ? g_steal_pointer (&args) : NULL;
}

static void
test_values (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmArgs) args = parse ("x one --network a -c u two --network=b --wait -- --three", FALSE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (lm_args_get (args, "connect"), ==, "u");
  g_assert_true (lm_args_has (args, "wait"));
  g_assert_null (lm_args_get (args, "wait"));
  g_assert_false (lm_args_has (args, "verbose"));
  const char *const networks[] = { "a", "b", NULL };
  const char *const words[] = { "one", "two", "--three", NULL };
  g_assert_cmpstrv (lm_args_get_all (args, "network"), networks);
  g_assert_cmpstrv (lm_args_words (args), words);
}

/* The value of --wait must be given as --wait=VALUE, because otherwise the next
 * word would be taken for it. */
static void
test_optional_value (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmArgs) args = parse ("x --wait web1 --wait=5", FALSE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (lm_args_get (args, "wait"), ==, "5");
  g_assert_cmpstr (lm_args_words (args)[0], ==, "web1");
  guint64 seconds;
  g_assert_true (lm_args_get_uint (args, "wait", 1, 10, 3, &seconds, &error));
  g_assert_cmpuint (seconds, ==, 5);
  g_assert_false (lm_args_get_uint (args, "wait", 1, 4, 3, &seconds, &error));
  g_assert_error (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE);
}

static void
test_first_word_ends (void)
{
  int used;
  g_autoptr (LmArgs) args = parse ("x -v -c u verb --network a", TRUE, &used, NULL);
  g_assert_nonnull (args);
  g_assert_cmpint (used, ==, 4);
  g_assert_cmpuint (lm_args_n_words (args), ==, 0);
  g_assert_false (lm_args_has (args, "network"));
}

static void
test_refuses (void)
{
  static const char *const lines[] = { "x --nope", "x -q", "x --connect", "x --verbose=1", "x -c a -c b" };
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (parse (lines[i], FALSE, NULL, &error));
      g_assert_error (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/args/values", test_values);
  g_test_add_func ("/args/optional-value", test_optional_value);
  g_test_add_func ("/args/first-word-ends", test_first_word_ends);
  g_test_add_func ("/args/refuses", test_refuses);
  return g_test_run ();
}
