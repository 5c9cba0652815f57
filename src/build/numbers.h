/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Arrays of guint, such as the numbers of packages. Those that are sets are in ascending
 * order, each number once. Pure. */
#include <glib.h>

/** lm_numbers_new: returns an empty array. */
GArray *lm_numbers_new (void);

/** lm_numbers_sort: makes @numbers a set. */
void lm_numbers_sort (GArray *numbers);

/** lm_numbers_find: returns the index of @number in the set @numbers; G_MAXUINT if it is not there. */
guint lm_numbers_find (const GArray *numbers, guint number);

/** lm_numbers_have: whether @number is in the set @numbers. */
gboolean lm_numbers_have (const GArray *numbers, guint number);
