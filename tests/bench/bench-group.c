/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares ways to divide the packages of roles into layers, and measures how long
 * loading a package index and grouping take beside libsolv alone loading it.
 *
 *   bench-group ROLES RUNS INDEX...  (the indexes are not compressed) */
#include "config.h"
#include "base/file.h"
#include "build/graph.h"
#include "build/grouping.h"

#include <math.h>
#include <solv/pool.h>
#include <solv/repo.h>
#include <solv/repo_deb.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_ROLES 128
#define NIX_LAYERS 16
#define GREEDY_LAYERS 6
#define INDEX_SIZE_MAX (1024 * 1024 * 1024)
static const guint launches[] = { 1, 5, 20 };

/* One way to divide. Bytes. */
typedef struct
{
  double stored, moved[G_N_ELEMENTS (launches)], excess;
  guint longest;
} Result;

static void
add_layer (Result *result, double size, double weight)
{
  result->stored += size;
  for (gsize i = 0; i < G_N_ELEMENTS (launches); i++)
    result->moved[i] += size * weight * pow (1 - weight, launches[i]);
}

static void
fail (const GError *error)
{
  fprintf (stderr, "%s\n", error->message);
  exit (1);
}

static double
size_of_role (const LmLayeringInput *input, guint role)
{
  double size = 0;
  for (guint i = 0; i < input->roles[role].packages->len; i++)
    size += (double) input->sizes[g_array_index (input->roles[role].packages, guint, i)];
  return size;
}

static Result
measure_whole_images (const LmLayeringInput *input)
{
  Result result = { .longest = 1 };
  for (guint role = 0; role < input->n_roles; role++)
    add_layer (&result, size_of_role (input, role), lm_layering_share (input, role));
  return result;
}

static Result
measure_layer_per_package (const LmLayeringInput *input)
{
  g_autofree double *weights = g_new0 (double, input->n_packages);
  Result result = { 0 };
  for (guint role = 0; role < input->n_roles; role++)
    {
      const GArray *packages = input->roles[role].packages;
      result.longest = MAX (result.longest, packages->len);
      for (guint i = 0; i < packages->len; i++)
        weights[g_array_index (packages, guint, i)] += lm_layering_share (input, role);
    }
  for (guint i = 0; i < input->n_packages; i++)
    add_layer (&result, (double) input->sizes[i], MIN (weights[i], 1));
  return result;
}

static Result
measure_layer_per_role (const LmLayeringInput *input)
{
  g_autofree guint *counts = g_new0 (guint, input->n_packages);
  Result result = { .longest = 2 };
  double base = 0;
  for (guint role = 0; role < input->n_roles; role++)
    for (guint i = 0; i < input->roles[role].packages->len; i++)
      counts[g_array_index (input->roles[role].packages, guint, i)]++;
  for (guint i = 0; i < input->n_packages; i++)
    base += counts[i] == input->n_roles ? (double) input->sizes[i] : 0;
  add_layer (&result, base, 1);
  for (guint role = 0; role < input->n_roles; role++)
    add_layer (&result, size_of_role (input, role) - base, lm_layering_share (input, role));
  return result;
}

/* ---- Nix: each image has its most popular packages as layers of their own, and the rest in
 * the last one. Popularity is the number of ways in which the roots of the dependency graph
 * lead to a package (Christensen, "Optimising Docker Layers for Better Caching with Nix", 2018). */

static double *
count_ways (const LmGraph *graph)
{
  const guint n = lm_graph_get_size (graph);
  guint n_groups = 0;
  for (guint node = 0; node < n; node++)
    n_groups = MAX (n_groups, lm_graph_get_group (graph, node) + 1);
  double *ways = g_new0 (double, n_groups);
  g_autofree gboolean *needed = g_new0 (gboolean, n_groups);
  for (int pass = 0; pass < 2; pass++)
    for (guint group = n_groups; group-- > 0;)
      {
        if (pass == 1 && !needed[group])
          ways[group] = 1;
        for (guint node = 0; node < n; node++)
          {
            const GArray *direct = lm_graph_get_direct (graph, node);
            if (lm_graph_get_group (graph, node) != group)
              continue;
            for (guint i = 0; i < direct->len; i++)
              {
                const guint target = lm_graph_get_group (graph, g_array_index (direct, guint, i));
                if (target != group)
                  needed[target] = TRUE, ways[target] += pass == 1 ? ways[group] : 0;
              }
          }
      }
  return ways;
}

typedef struct
{
  double size, weight;
} NixLayer;

static void
use_nix_layer (GHashTable *layers, const char *key, double size, double weight)
{
  NixLayer *layer = g_hash_table_lookup (layers, key);
  if (layer == NULL)
    {
      layer = g_new0 (NixLayer, 1);
      g_hash_table_insert (layers, g_strdup (key), layer);
    }
  layer->size = size;
  layer->weight += weight;
}

static void
add_nix_image (LmPackages *packages, const LmGrouping *grouping, guint role, GHashTable *layers)
{
  const GArray *set = grouping->input.roles[role].packages;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < set->len; i++)
    g_array_append_val (ids, g_array_index (grouping->ids, guint, g_array_index (set, guint, i)));
  g_autoptr (LmGraph) graph = lm_graph_new (packages, ids, FALSE);
  g_autofree double *ways = count_ways (graph);
  g_autofree gboolean *used = g_new0 (gboolean, lm_graph_get_size (graph));
  g_autoptr (GString) rest = g_string_new ("rest");
  const double weight = lm_layering_share (&grouping->input, role);
  double size = 0;
  for (guint n = 0; n < NIX_LAYERS - 1 && n < lm_graph_get_size (graph); n++)
    {
      guint best = G_MAXUINT;
      for (guint node = 0; node < lm_graph_get_size (graph); node++)
        if (!used[node] && (best == G_MAXUINT || ways[lm_graph_get_group (graph, node)] > ways[lm_graph_get_group (graph, best)]))
          best = node;
      used[best] = TRUE;
      g_autofree char *key = g_strdup_printf ("%u", lm_graph_get_package (graph, best));
      use_nix_layer (layers, key, (double) lm_packages_get (packages, lm_graph_get_package (graph, best)).installed_size, weight);
    }
  for (guint node = 0; node < lm_graph_get_size (graph); node++)
    if (!used[node])
      {
        size += (double) lm_packages_get (packages, lm_graph_get_package (graph, node)).installed_size;
        g_string_append_printf (rest, " %u", lm_graph_get_package (graph, node));
      }
  use_nix_layer (layers, rest->str, size, weight);
}

static Result
measure_nix (LmPackages *packages, const LmGrouping *grouping)
{
  g_autoptr (GHashTable) layers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Result result = { .longest = NIX_LAYERS };
  for (guint role = 0; role < grouping->input.n_roles; role++)
    add_nix_image (packages, grouping, role, layers);
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, layers);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    add_layer (&result, ((NixLayer *) value)->size, MIN (((NixLayer *) value)->weight, 1));
  return result;
}

/* ---- the greedy split: the set of roles whose common packages save most becomes the next layer */

typedef unsigned __int128 RoleSet;

typedef struct
{
  const LmLayeringInput *input;
  RoleSet *needs; /* for each package */
  Result result;
} Greedy;

static guint
count_bits (RoleSet set)
{
  return (guint) (__builtin_popcountll ((guint64) set) + __builtin_popcountll ((guint64) (set >> 64)));
}

/* The packages that all of @roles need, except those of the layers below, whose bytes are 0. */
static double
common_size (const Greedy *greedy, RoleSet roles, const gboolean *below)
{
  double size = 0;
  for (guint i = 0; i < greedy->input->n_packages; i++)
    if (!below[i] && (greedy->needs[i] & roles) == roles)
      size += (double) greedy->input->sizes[i];
  return size;
}

static RoleSet
best_set (const Greedy *greedy, RoleSet roles, const gboolean *below)
{
  RoleSet best = 0;
  double best_saved = 0;
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  for (guint i = 0; i < greedy->input->n_packages; i++)
    {
      const RoleSet set = greedy->needs[i] & roles;
      if (below[i] || count_bits (set) < 2 || !g_hash_table_add (seen, g_bytes_new (&set, sizeof set)))
        continue;
      const double saved = (count_bits (set) - 1) * common_size (greedy, set, below);
      if (saved > best_saved)
        best_saved = saved, best = set;
    }
  return best;
}

static void
split_greedily (Greedy *greedy, RoleSet roles, const gboolean *below, guint depth)
{
  while (roles != 0)
    {
      RoleSet set = depth < GREEDY_LAYERS ? best_set (greedy, roles, below) : 0;
      if (set == 0)
        set = roles & -roles; /* the first one alone */
      double weight = 0;
      for (guint role = 0; role < greedy->input->n_roles; role++)
        if (set >> role & 1)
          weight += lm_layering_share (greedy->input, role);
      const double size = common_size (greedy, set, below);
      add_layer (&greedy->result, size, MIN (weight, 1));
      if (size > 0)
        greedy->result.longest = MAX (greedy->result.longest, depth);
      if (count_bits (set) > 1)
        {
          g_autofree gboolean *with = g_memdup2 (below, sizeof (gboolean) * greedy->input->n_packages);
          for (guint i = 0; i < greedy->input->n_packages; i++)
            with[i] = with[i] || (greedy->needs[i] & set) == set;
          split_greedily (greedy, set, with, depth + 1);
        }
      roles &= ~set;
    }
}

static Result
measure_greedy (const LmLayeringInput *input)
{
  g_autofree RoleSet *needs = g_new0 (RoleSet, input->n_packages);
  g_autofree gboolean *below = g_new0 (gboolean, input->n_packages);
  Greedy greedy = { input, needs, { 0 } };
  RoleSet all = 0;
  for (guint role = 0; role < input->n_roles; role++)
    {
      all |= (RoleSet) 1 << role;
      for (guint i = 0; i < input->roles[role].packages->len; i++)
        needs[g_array_index (input->roles[role].packages, guint, i)] |= (RoleSet) 1 << role;
    }
  split_greedily (&greedy, all, below, 1);
  return greedy.result;
}

static Result
measure_lamina (const LmGrouping *grouping)
{
  Result result = { .longest = grouping->longest, .excess = grouping->layering->excess };
  for (guint i = 0; i < grouping->layering->layers->len; i++)
    {
      const LmLayeringLayer *layer = g_ptr_array_index (grouping->layering->layers, i);
      add_layer (&result, (double) layer->size, MIN (layer->weight, 1));
    }
  return result;
}

/* ---- */

static int
compare_doubles (const void *a, const void *b)
{
  const double one = *(const double *) a, other = *(const double *) b;
  return (one > other) - (one < other);
}

static double
time_libsolv (GBytes **indexes, guint *out_packages)
{
  const gint64 began = g_get_monotonic_time ();
  Pool *pool = pool_create ();
  pool_setdisttype (pool, DISTTYPE_DEB);
  for (; *indexes; indexes++)
    {
      gsize size;
      const void *text = g_bytes_get_data (*indexes, &size);
      FILE *stream = fmemopen ((void *) text, size, "r");
      repo_add_debpackages (repo_create (pool, ""), stream, 0);
      fclose (stream);
    }
  pool_createwhatprovides (pool);
  const double took = (double) (g_get_monotonic_time () - began) / 1000;
  *out_packages = (guint) pool->nsolvables - 2; /* without libsolv's own two */
  pool_free (pool);
  return took;
}

static double
time_lamina (GBytes **indexes, const LmRoles *roles, LmPackages **out_packages, LmGrouping **out_grouping)
{
  g_autoptr (GError) error = NULL;
  const gint64 began = g_get_monotonic_time ();
  LmPackages *packages = lm_packages_new ();
  for (; *indexes; indexes++)
    if (!lm_packages_add (packages, *indexes, NULL, "index", &error))
      fail (error);
  LmGrouping *grouping = lm_grouping_new (packages, roles, 8, FALSE, &error);
  if (grouping == NULL)
    fail (error);
  const double took = (double) (g_get_monotonic_time () - began) / 1000;
  *out_packages = packages;
  *out_grouping = grouping;
  return took;
}

static void
print_result (const char *title, const Result *result, double whole, double asked)
{
  printf ("%-22s %9.3f %11.1f %9.1f %9.1f %9.2f%% %8u\n", title, result->stored / whole, result->moved[0] / 1e6,
          result->moved[1] / 1e6, result->moved[2] / 1e6, 100 * result->excess / asked, result->longest);
}

/* Prints whether the bound holds; returns 1 if not. */
static int
check (const char *title, double value, double bound)
{
  printf ("%-62s %7.3f, at most %.2f: %s\n", title, value, bound, value <= bound ? "met" : "MISSED");
  return value > bound;
}

static int
compare_ways (LmPackages *packages, const LmGrouping *grouping)
{
  const LmLayeringInput *input = &grouping->input;
  const Result whole = measure_whole_images (input), per_role = measure_layer_per_role (input);
  const Result per_package = measure_layer_per_package (input), nix = measure_nix (packages, grouping);
  const Result greedy = measure_greedy (input), lamina = measure_lamina (grouping);
  printf ("%u roles, %u packages, %.0f MB a role; stored relative to whole images, moved in MB per launch\n", input->n_roles,
          input->n_packages, grouping->asked / 1e6);
  printf ("%-22s %9s %11s %9s %9s %10s %8s\n", "", "stored", "1 before", "5 before", "20 before", "not asked", "longest");
  print_result ("whole images", &whole, whole.stored, grouping->asked);
  print_result ("one layer per role", &per_role, whole.stored, grouping->asked);
  print_result ("one layer per package", &per_package, whole.stored, grouping->asked);
  print_result ("Nix, 16 layers", &nix, whole.stored, grouping->asked);
  print_result ("greedy split", &greedy, whole.stored, grouping->asked);
  print_result ("lamina", &lamina, whole.stored, grouping->asked);
  return check ("stored, of whole images", lamina.stored / whole.stored, 0.25)
         + check ("stored, of the greedy split", lamina.stored / greedy.stored, 1)
         + check ("moved after 5 launches, of Nix", lamina.moved[1] / nix.moved[1], 0.5)
         + check ("moved after 20 launches, of Nix", lamina.moved[2] / nix.moved[2], 0.35)
         + check ("moved after 20 launches, of the greedy split", lamina.moved[2] / greedy.moved[2], 1)
         + check ("not asked for, of what is asked for", lamina.excess / grouping->asked, 0.03)
         + check ("layers of the longest chain", lamina.longest, 8);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc < 4)
    return 2;
  const guint runs = (guint) MAX (atoi (argv[2]), 1);
  g_autoptr (GBytes) text = lm_file_read (argv[1], 1 << 20, NULL, &error);
  if (text == NULL)
    fail (error);
  g_autoptr (LmRoles) roles = lm_roles_parse (argv[1], g_bytes_get_data (text, NULL), g_bytes_get_size (text), &error);
  if (roles == NULL)
    fail (error);
  g_assert (roles->roles->len <= MAX_ROLES);
  g_autofree GBytes **indexes = g_new0 (GBytes *, argc);
  for (int i = 3; i < argc; i++)
    if ((indexes[i - 3] = lm_file_read (argv[i], INDEX_SIZE_MAX, NULL, &error)) == NULL)
      fail (error);
  g_autofree double *alone = g_new (double, runs), *whole = g_new (double, runs);
  g_autoptr (LmPackages) packages = NULL;
  g_autoptr (LmGrouping) grouping = NULL;
  guint n_packages = 0;
  for (guint i = 0; i < runs; i++)
    {
      g_clear_pointer (&grouping, lm_grouping_free);
      g_clear_pointer (&packages, lm_packages_free);
      alone[i] = time_libsolv (indexes, &n_packages);
      whole[i] = time_lamina (indexes, roles, &packages, &grouping);
    }
  qsort (alone, runs, sizeof (double), compare_doubles);
  qsort (whole, runs, sizeof (double), compare_doubles);
  int missed = compare_ways (packages, grouping);
  printf ("%u packages: libsolv alone loads them in %.0f ms, loading and grouping take %.0f ms (medians of %u)\n",
          n_packages, alone[runs / 2], whole[runs / 2], runs);
  missed += check ("loading and grouping, of libsolv loading alone", whole[runs / 2] / alone[runs / 2], 3);
  for (int i = 3; i < argc; i++)
    g_bytes_unref (indexes[i - 3]);
  return missed != 0;
}
