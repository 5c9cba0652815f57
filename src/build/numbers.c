/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/numbers.h"

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  const guint one = *(const guint *) a, other = *(const guint *) b;
  return (one > other) - (one < other);
}

GArray *
lm_numbers_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (guint));
}

void
lm_numbers_sort (GArray *numbers)
{
  guint kept = 0;
  g_array_sort (numbers, compare_numbers);
  for (guint i = 0; i < numbers->len; i++)
    if (i == 0 || g_array_index (numbers, guint, i) != g_array_index (numbers, guint, kept - 1))
      g_array_index (numbers, guint, kept++) = g_array_index (numbers, guint, i);
  g_array_set_size (numbers, kept);
}

guint
lm_numbers_find (const GArray *numbers, guint number)
{
  guint index = G_MAXUINT;
  return g_array_binary_search ((GArray *) numbers, &number, compare_numbers, &index) ? index : G_MAXUINT;
}

gboolean
lm_numbers_have (const GArray *numbers, guint number)
{
  return lm_numbers_find (numbers, number) != G_MAXUINT;
}
