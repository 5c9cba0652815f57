/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layerings of random roles keep what layering.h promises; the seed is printed. */
#include "config.h"
#include "build/layering.h"

#include <math.h>
#include <string.h>

#define MAX_PACKAGES 40
#define MAX_ROLES 12

typedef struct
{
  guint64 sizes[MAX_PACKAGES];
  LmLayeringRole roles[MAX_ROLES];
  LmLayeringInput input;
} Sample;

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  const guint one = *(const guint *) a, other = *(const guint *) b;
  return (one > other) - (one < other);
}

static gboolean
has (const GArray *sorted, guint number)
{
  return g_array_binary_search ((GArray *) sorted, &number, compare_numbers, NULL);
}

/* Roles choose from bundles, so that they have something in common. */
static void
fill_sample (Sample *sample, GRand *random)
{
  memset (sample, 0, sizeof *sample);
  const guint n_packages = (guint) g_rand_int_range (random, 1, MAX_PACKAGES + 1), n_roles = (guint) g_rand_int_range (random, 1, MAX_ROLES + 1);
  guint bundle_of[MAX_PACKAGES];
  for (guint i = 0; i < n_packages; i++)
    {
      sample->sizes[i] = (guint64) g_rand_int_range (random, 0, 100) << 20;
      bundle_of[i] = (guint) g_rand_int_range (random, 0, 8);
    }
  for (guint role = 0; role < n_roles; role++)
    {
      GArray *packages = g_array_new (FALSE, FALSE, sizeof (guint));
      const guint32 bundles = g_rand_int (random) & g_rand_int (random);
      for (guint i = 0; i < n_packages; i++)
        if (bundles >> bundle_of[i] & 1 || g_rand_int_range (random, 0, 30) == 0)
          g_array_append_val (packages, i);
      sample->roles[role] = (LmLayeringRole){ g_rand_int_range (random, 0, 5), packages };
    }
  sample->input = (LmLayeringInput){ .sizes = sample->sizes,
                                     .n_packages = n_packages,
                                     .roles = sample->roles,
                                     .n_roles = n_roles,
                                     .max_layers = (guint) g_rand_int_range (random, 2, 9) };
}

static void
clear_sample (Sample *sample)
{
  for (guint role = 0; role < sample->input.n_roles; role++)
    g_array_unref ((GArray *) sample->roles[role].packages);
}

static const LmLayeringLayer *
layer_at (const LmLayering *layering, guint layer)
{
  return g_ptr_array_index (layering->layers, layer);
}

static guint
length_of (const LmLayering *layering, guint layer)
{
  guint length = 0;
  for (; layer != G_MAXUINT; layer = layer_at (layering, layer)->parent)
    length++;
  return length;
}

/* The packages of the layers from the base to @layer, in ascending order. */
static GArray *
list_chain (const LmLayering *layering, guint layer)
{
  GArray *chain = g_array_new (FALSE, FALSE, sizeof (guint));
  while (layer != G_MAXUINT)
    {
      const LmLayeringLayer *self = g_ptr_array_index (layering->layers, layer);
      g_array_append_vals (chain, self->packages->data, self->packages->len);
      layer = self->parent;
    }
  g_array_sort (chain, compare_numbers);
  return chain;
}

static void
check_chains (const Sample *sample, const LmLayering *layering)
{
  for (guint role = 0; role < sample->input.n_roles; role++)
    {
      g_autoptr (GArray) chain = list_chain (layering, layering->tops[role]);
      const GArray *wanted = sample->roles[role].packages;
      for (guint i = 0; i < wanted->len; i++)
        g_assert_true (has (chain, g_array_index (wanted, guint, i)));
      for (guint i = 1; i < chain->len; i++)
        g_assert_cmpuint (g_array_index (chain, guint, i - 1), <, g_array_index (chain, guint, i));
      g_assert_cmpuint (length_of (layering, layering->tops[role]), <=, sample->input.max_layers);
    }
}

/* The sums of the layering are those of its layers, and those of its packages. */
static void
check_sums (const Sample *sample, const LmLayering *layering)
{
  double stored = 0;
  LmLayeringCost sum = { 0 };
  for (guint i = 0; i < layering->layers->len; i++)
    {
      const LmLayeringLayer *layer = layer_at (layering, i);
      guint64 size = 0;
      for (guint j = 0; j < layer->packages->len; j++)
        size += sample->sizes[g_array_index (layer->packages, guint, j)];
      g_assert_cmpuint (size, ==, layer->size);
      g_assert_cmpuint (layer->packages->len, >, 0);
      g_assert_cmpuint (layer->n_roles, >, 0);
      g_assert_true (layer->parent == G_MAXUINT || layer->parent < i);
      stored += (double) size;
    }
  for (guint package = 0; package < sample->input.n_packages; package++)
    {
      const LmLayeringCost cost = lm_layering_get_cost (layering, &sample->input, package);
      sum.stored += cost.stored;
      sum.moved += cost.moved;
      sum.excess += cost.excess;
    }
  g_assert_cmpfloat_with_epsilon (stored, layering->stored, 1);
  g_assert_cmpfloat_with_epsilon (sum.stored * sample->input.n_roles, layering->stored, 1);
  g_assert_cmpfloat_with_epsilon (sum.moved, layering->moved, 1);
  g_assert_cmpfloat_with_epsilon (sum.excess, layering->excess, 1);
}

/* Given the tree, no package has a better place. */
static void
check_places (const Sample *sample, const LmLayering *layering)
{
  for (guint package = 0; package < sample->input.n_packages; package++)
    {
      const LmLayeringCost now = lm_layering_get_cost (layering, &sample->input, package);
      const double cost = now.stored + now.moved + now.excess;
      for (guint layer = 0; cost > 0 && layer < layering->layers->len; layer++)
        {
          const LmLayeringCost then = lm_layering_get_cost_in (layering, &sample->input, package, layer);
          g_assert_cmpfloat (then.stored + then.moved + then.excess, >=, cost - 1);
        }
    }
}

static gboolean
is_same (const LmLayering *one, const LmLayering *other)
{
  if (one->layers->len != other->layers->len)
    return FALSE;
  for (guint i = 0; i < one->layers->len; i++)
    {
      const LmLayeringLayer *a = layer_at (one, i), *b = layer_at (other, i);
      if (a->parent != b->parent || a->packages->len != b->packages->len
          || memcmp (a->packages->data, b->packages->data, a->packages->len * sizeof (guint)) != 0)
        return FALSE;
    }
  return TRUE;
}

static void
test_random (void)
{
  const guint32 seed = (guint32) g_test_rand_int ();
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  g_test_message ("seed %u", seed);
  for (guint round = 0; round < 300; round++)
    {
      Sample sample;
      fill_sample (&sample, random);
      g_autoptr (LmLayering) layering = lm_layering_new (&sample.input), again = lm_layering_new (&sample.input);
      check_chains (&sample, layering);
      check_sums (&sample, layering);
      check_places (&sample, layering);
      g_assert_true (is_same (layering, again));
      clear_sample (&sample);
    }
}

/* Two packages whose numbers add up to the number of packages minus one conflict. */
static gboolean
fits_unless_mirrored (gpointer data, guint package, const GArray *chain)
{
  const Sample *sample = data;
  const guint other = sample->input.n_packages - 1 - package;
  return other == package || !has (chain, other);
}

static void
test_conflicts (void)
{
  const guint32 seed = (guint32) g_test_rand_int ();
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  g_test_message ("seed %u", seed);
  for (guint round = 0; round < 300; round++)
    {
      Sample sample;
      fill_sample (&sample, random);
      sample.input.fits = fits_unless_mirrored;
      sample.input.fits_data = &sample;
      for (guint role = 0; role < sample.input.n_roles; role++)
        {
          GArray *packages = (GArray *) sample.roles[role].packages;
          for (guint i = packages->len; i-- > 0;)
            if (!fits_unless_mirrored (&sample, g_array_index (packages, guint, i), packages))
              g_array_remove_index (packages, i);
        }
      g_autoptr (LmLayering) layering = lm_layering_new (&sample.input);
      check_chains (&sample, layering);
      check_sums (&sample, layering);
      for (guint role = 0; role < sample.input.n_roles; role++)
        {
          g_autoptr (GArray) chain = list_chain (layering, layering->tops[role]);
          for (guint i = 0; i < chain->len; i++)
            g_assert_true (fits_unless_mirrored (&sample, g_array_index (chain, guint, i), chain));
        }
      clear_sample (&sample);
    }
}

/* A layer that saves less than any layer costs is not made. */
static void
test_overhead (void)
{
  Sample sample = { .sizes = { 100 << 20, 1 << 20, 50 << 20, 50 << 20, 50 << 20 } };
  static const guint sets[][3] = { { 0, 1, 2 }, { 0, 1, 3 }, { 0, 4, 4 } };
  for (guint role = 0; role < 3; role++)
    {
      GArray *packages = g_array_new (FALSE, FALSE, sizeof (guint));
      g_array_append_vals (packages, sets[role], role < 2 ? 3 : 2);
      sample.roles[role] = (LmLayeringRole){ 1, packages };
    }
  sample.input = (LmLayeringInput){ sample.sizes, 5, sample.roles, 3, 8, 0, NULL, NULL };
  g_autoptr (LmLayering) five = lm_layering_new (&sample.input);
  sample.input.overhead = 8 << 20;
  g_autoptr (LmLayering) four = lm_layering_new (&sample.input);
  g_assert_cmpuint (five->layers->len, ==, 5);
  g_assert_cmpuint (four->layers->len, ==, 4);
  clear_sample (&sample);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/layering/random", test_random);
  g_test_add_func ("/build/layering/conflicts", test_conflicts);
  g_test_add_func ("/build/layering/overhead", test_overhead);
  return g_test_run ();
}
