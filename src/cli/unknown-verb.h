/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What to say about a verb that lamina does not have. */
#include <glib.h>

/** lm_unknown_verb_throw: sets @error for the first one or two of @words, which are no verb, with what may have been
 * meant. @words ends with NULL and has at least one. Returns FALSE. Error: LM_CLI_ERROR_USAGE. */
gboolean lm_unknown_verb_throw (const char *const *words, GError **error);
