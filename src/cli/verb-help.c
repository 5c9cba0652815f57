/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/help.h"
#include "cli/unknown-verb.h"

static gboolean
run_help (const LmInvocation *invocation, GError **error)
{
  const char *const *words = lm_args_words (invocation->args);
  if (words[0] == NULL)
    {
      lm_help_print_all ();
      return TRUE;
    }
  guint used;
  const LmVerb *verb = lm_verb_find (words, &used);
  if (verb == NULL && words[1] == NULL && lm_help_print_group (words[0]))
    return TRUE;
  if (verb == NULL)
    return lm_unknown_verb_throw (words, error);
  lm_help_print_verb (verb);
  return TRUE;
}

const LmVerb lm_verb_help = {
  .name = "help",
  .page = "lamina",
  .synopsis = "[VERB]",
  .summary = "show help on lamina or one of its verbs",
  .max_words = 2,
  .run = run_help,
};
