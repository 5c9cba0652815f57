/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/suggestion.h"

#include <string.h>

/* Nobody writes longer words by hand; their ends are not compared. */
#define LENGTH_MAX 255

static guint
levenshtein_distance (const char *a, const char *b)
{
  guint16 row[LENGTH_MAX + 1];
  gsize na = MIN (strlen (a), LENGTH_MAX), nb = MIN (strlen (b), LENGTH_MAX);
  for (gsize j = 0; j <= nb; j++)
    row[j] = (guint16) j;
  for (gsize i = 1; i <= na; i++)
    {
      guint16 diagonal = row[0];
      row[0] = (guint16) i;
      for (gsize j = 1; j <= nb; j++)
        {
          guint16 changed = (guint16) (diagonal + (a[i - 1] != b[j - 1]));
          diagonal = row[j];
          row[j] = (guint16) MIN (MIN (row[j] + 1, row[j - 1] + 1), changed);
        }
    }
  return row[nb];
}

void
lm_suggestion_init (LmSuggestion *suggestion, const char *word)
{
  suggestion->word = word;
  suggestion->best = NULL;
  /* About a third of the letters may be wrong; in a word of five letters two, so that two may be swapped. */
  suggestion->distance = MIN (3, (guint) (strlen (word) + 1) / 3) + 1;
}

void
lm_suggestion_consider (LmSuggestion *suggestion, const char *candidate)
{
  const char *word = suggestion->word;
  gsize a = strlen (word), b = strlen (candidate);
  guint far = (guint) (a > b ? a - b : b - a);
  /* "nginx-light" is similar to "nginx", whatever the distance. */
  gboolean extends = a >= 3 && (g_str_has_prefix (candidate, word) || (b >= 3 && g_str_has_prefix (word, candidate)));
  if (!extends && far >= suggestion->distance)
    return;
  guint distance = extends ? 1 : levenshtein_distance (word, candidate);
  if (distance < suggestion->distance
      || (distance == suggestion->distance && suggestion->best != NULL && strcmp (candidate, suggestion->best) < 0))
    {
      suggestion->best = candidate;
      suggestion->distance = distance;
    }
}
