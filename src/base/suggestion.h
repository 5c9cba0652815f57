/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which known word somebody may have meant by an unknown one, by the number of letters that are
 * changed, added, left out or swapped. */
#include <glib.h>

typedef struct
{
  const char *word; /* the unknown one */
  const char *best; /* the known one that is most similar; NULL if none is */
  guint distance;
} LmSuggestion;

/** lm_suggestion_init: begins to look for what is similar to @word, which must outlive @suggestion. */
void lm_suggestion_init (LmSuggestion *suggestion, const char *word);
/** lm_suggestion_consider: makes the known word @candidate, which must outlive @suggestion, the best if it is more similar
 * than the one before; of two that are as similar, the first in the alphabet. */
void lm_suggestion_consider (LmSuggestion *suggestion, const char *candidate);
