/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/suggestion.h"

#include <string.h>

/* Nobody writes longer words by hand; their ends are not compared. */
#define LENGTH_MAX 255

/* Of two texts; two neighbouring letters that are swapped count as one change ("optimal string alignment"). */
static guint
get_distance (const char *a, const char *b)
{
  guint16 rows[3][LENGTH_MAX + 1];
  guint16 *before = rows[0], *above = rows[1], *row = rows[2];
  gsize na = MIN (strlen (a), LENGTH_MAX), nb = MIN (strlen (b), LENGTH_MAX);
  for (gsize j = 0; j <= nb; j++)
    row[j] = (guint16) j;
  for (gsize i = 1; i <= na; i++)
    {
      guint16 *oldest = before;
      before = above;
      above = row;
      row = oldest;
      row[0] = (guint16) i;
      for (gsize j = 1; j <= nb; j++)
        {
          guint best = MIN (above[j], row[j - 1]) + 1u;
          best = MIN (best, above[j - 1] + (a[i - 1] != b[j - 1] ? 1u : 0u));
          if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            best = MIN (best, before[j - 2] + 1u);
          row[j] = (guint16) best;
        }
    }
  return row[nb];
}

void
lm_suggestion_init (LmSuggestion *suggestion, const char *word)
{
  suggestion->word = word;
  suggestion->best = NULL;
  /* About a third of the letters may be wrong. */
  suggestion->distance = MIN (3, (guint) strlen (word) / 3) + 1;
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
  guint distance = extends ? 1 : get_distance (word, candidate);
  if (distance < suggestion->distance
      || (distance == suggestion->distance && suggestion->best != NULL && strcmp (candidate, suggestion->best) < 0))
    {
      suggestion->best = candidate;
      suggestion->distance = distance;
    }
}
