/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/suggestion.h"

#include <string.h>

static const char *
suggest (const char *word)
{
  static const char *const known[] = { "launch", "list", "show", "pull", "publish", "cache list", "memory", "memory-max" };
  LmSuggestion suggestion;
  lm_suggestion_init (&suggestion, word);
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    lm_suggestion_consider (&suggestion, known[i]);
  return suggestion.best;
}

static void
test_similar (void)
{
  static const struct
  {
    const char *word, *best;
  } cases[] = {
    { "list", "list" },     { "lsit", "list" },     { "ilst", "list" },       { "lis", "list" },     { "listt", "list" },
    { "lust", "list" },     { "luanch", "launch" }, { "lunach", "launch" },   { "lanuhc", "launch" }, { "publsh", "publish" },
    { "memry", "memory" },  { "memo", "memory" },   { "memory-maximum", "memory" }, { "xyz", NULL }, { "lost2", NULL },
    { "", NULL },           { "s", NULL },          { "plul", "pull" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].word);
      g_assert_cmpstr (suggest (cases[i].word), ==, cases[i].best);
    }
}

static void
test_long (void)
{
  g_autofree char *word = g_strnfill (100000, 'x'), *candidate = g_strnfill (99999, 'y'), *longer = g_strconcat (word, "x", NULL);
  LmSuggestion suggestion;
  lm_suggestion_init (&suggestion, word);
  lm_suggestion_consider (&suggestion, candidate);
  g_assert_null (suggestion.best);
  lm_suggestion_consider (&suggestion, longer);
  g_assert_cmpstr (suggestion.best, ==, longer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/suggestion/similar", test_similar);
  g_test_add_func ("/suggestion/long", test_long);
  return g_test_run ();
}
