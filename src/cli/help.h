/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Help texts, generated from the table of verbs. */
#include "cli/verb.h"

/** lm_help_print_all: prints the output of "lamina --help" to stdout. */
void lm_help_print_all (void);
/** lm_help_print_verb: prints the output of "lamina VERB --help" to stdout. */
void lm_help_print_verb (const LmVerb *verb);
/** lm_help_print_group: prints the verbs that begin with @word ("catalog") to
 * stdout; FALSE if there are none. */
gboolean lm_help_print_group (const char *word);
/** lm_help_print_version: prints the version and how this program was built. */
void lm_help_print_version (void);
/** lm_verb_find: returns the verb with which @words (NULL-terminated) begin, and
 * sets *out_used to the number of words in its name. NULL if there is none. */
const LmVerb *lm_verb_find (const char *const *words, guint *out_used);
