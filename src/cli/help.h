/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Help text, made from the table of verbs. */
#include "cli/verb.h"

/** lm_help_print_all: what "lamina --help" says, on stdout. */
void lm_help_print_all (void);
/** lm_help_print_verb: what "lamina VERB --help" says, on stdout. */
void lm_help_print_verb (const LmVerb *verb);
/** lm_help_print_group: the verbs that begin with @word ("catalog"), on stdout;
 * FALSE if there are none. */
gboolean lm_help_print_group (const char *word);
/** lm_help_print_version: version and what this build was made with. */
void lm_help_print_version (void);
/** lm_verb_find: the verb that @words (NULL-terminated) begin with; *out_used:
 * how many words its name has. NULL if there is none. */
const LmVerb *lm_verb_find (const char *const *words, guint *out_used);
