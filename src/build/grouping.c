/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/grouping.h"
#include "base/size.h"
#include "build/numbers.h"

#include <string.h>

/* Each layer repeats files that every installation of packages changes, such as the
 * status file of dpkg, and has the tables of its image. */
#define LAYER_OVERHEAD (2 * LM_SIZE_MIB)

/* ---- from packages to the input of a layering */

static GArray *
resolve_role (LmGrouping *grouping, const LmRole *role, gboolean recommended, GError **error)
{
  g_autoptr (GPtrArray) wanted = g_ptr_array_new ();
  for (char **name = grouping->roles->base; *name; name++)
    g_ptr_array_add (wanted, *name);
  for (char **name = role->packages; *name; name++)
    g_ptr_array_add (wanted, *name);
  GArray *ids = lm_packages_resolve (grouping->packages, (const char *const *) wanted->pdata, wanted->len, recommended, error);
  if (ids == NULL)
    g_prefix_error (error, "role %s: ", role->name);
  return ids;
}

/* Numbers the packages of all roles in the order of their numbers in the LmPackages, so
 * that a sorted set stays sorted. */
static void
number_packages (LmGrouping *grouping)
{
  for (guint i = 0; i < grouping->sets->len; i++)
    {
      const GArray *set = g_ptr_array_index (grouping->sets, i);
      g_array_append_vals (grouping->ids, set->data, set->len);
    }
  lm_numbers_sort (grouping->ids);
  grouping->sizes = g_new0 (guint64, grouping->ids->len + 1);
  for (guint i = 0; i < grouping->ids->len; i++)
    grouping->sizes[i] = lm_packages_get (grouping->packages, g_array_index (grouping->ids, guint, i)).installed_size;
}

static void
fill_roles (LmGrouping *grouping)
{
  const GPtrArray *roles = grouping->roles->roles;
  grouping->layering_roles = g_new0 (LmLayeringRole, roles->len);
  for (guint i = 0; i < roles->len; i++)
    {
      GArray *set = g_ptr_array_index (grouping->sets, i);
      for (guint j = 0; j < set->len; j++)
        {
          guint *number = &g_array_index (set, guint, j);
          *number = lm_numbers_find (grouping->ids, *number);
        }
      grouping->layering_roles[i] = (LmLayeringRole){ ((const LmRole *) g_ptr_array_index (roles, i))->weight, set };
    }
}

static void
add_up_sizes (LmGrouping *grouping)
{
  for (guint role = 0; role < grouping->input.n_roles; role++)
    {
      const GArray *packages = grouping->input.roles[role].packages;
      double size = 0;
      for (guint i = 0; i < packages->len; i++)
        size += (double) grouping->sizes[g_array_index (packages, guint, i)];
      grouping->whole += size;
      grouping->asked += size * lm_layering_share (&grouping->input, role);
    }
}

static gboolean
package_fits (gpointer data, guint package, const GArray *chain)
{
  const LmGrouping *grouping = data;
  g_autoptr (GArray) ids = g_array_sized_new (FALSE, FALSE, sizeof (guint), chain->len);
  for (guint i = 0; i < chain->len; i++)
    g_array_append_val (ids, g_array_index (grouping->ids, guint, g_array_index (chain, guint, i)));
  return lm_packages_fits (grouping->packages, g_array_index (grouping->ids, guint, package), ids);
}

/* ---- names */

static const LmLayeringLayer *
layer_at (const LmGrouping *grouping, guint layer)
{
  return g_ptr_array_index (grouping->layering->layers, layer);
}

static gboolean
is_in_chain (const LmGrouping *grouping, guint layer, guint role)
{
  guint at = grouping->layering->tops[role];
  while (at != G_MAXUINT && at != layer)
    at = layer_at (grouping, at)->parent;
  return at == layer;
}

/* How often the package @number of @layer is asked for by name, by weight. */
static double
weight_of_name (const LmGrouping *grouping, guint layer, const char *name)
{
  double weight = 0;
  for (guint i = 0; i < grouping->roles->roles->len; i++)
    {
      const LmRole *role = g_ptr_array_index (grouping->roles->roles, i);
      if (is_in_chain (grouping, layer, i) && g_strv_contains ((const char *const *) role->packages, name))
        weight += role->weight;
    }
  return weight;
}

/* The package that most roles ask for by name, or else the largest one. */
static char *
propose_name (const LmGrouping *grouping, guint layer)
{
  const GArray *packages = layer_at (grouping, layer)->packages;
  double best_weight = -1;
  guint64 best_size = 0;
  g_autofree char *best = NULL;
  for (guint i = 0; i < packages->len; i++)
    {
      const guint number = g_array_index (packages, guint, i);
      g_autofree char *name = g_strdup (lm_packages_get (grouping->packages, g_array_index (grouping->ids, guint, number)).name);
      const double weight = weight_of_name (grouping, layer, name);
      if (weight < best_weight || (weight == best_weight && grouping->sizes[number] <= best_size))
        continue;
      best_weight = weight;
      best_size = grouping->sizes[number];
      g_free (best);
      best = g_steal_pointer (&name);
    }
  return g_steal_pointer (&best);
}

static void
name_layers (LmGrouping *grouping)
{
  const guint n = grouping->layering->layers->len;
  g_autoptr (GHashTable) used = g_hash_table_new (g_str_hash, g_str_equal);
  grouping->names = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    {
      const gboolean is_base = layer_at (grouping, i)->parent == G_MAXUINT;
      g_autofree char *stem = is_base ? g_strdup ("base") : propose_name (grouping, i);
      char *name = g_strdup (stem);
      for (guint suffix = 2; g_hash_table_contains (used, name); suffix++)
        {
          g_free (name);
          name = g_strdup_printf ("%s-%u", stem, suffix);
        }
      g_hash_table_add (used, name);
      grouping->names[i] = name;
    }
}

static guint
longest_chain (const LmGrouping *grouping)
{
  guint longest = 0;
  for (guint role = 0; role < grouping->input.n_roles; role++)
    {
      guint length = 0;
      for (guint at = grouping->layering->tops[role]; at != G_MAXUINT; at = layer_at (grouping, at)->parent)
        length++;
      longest = MAX (longest, length);
    }
  return longest;
}

/* ---- the grouping */

LmGrouping *
lm_grouping_new (LmPackages *packages, const LmRoles *roles, guint max_layers, gboolean recommended, GError **error)
{
  g_autoptr (LmGrouping) grouping = g_new0 (LmGrouping, 1);
  grouping->packages = packages;
  grouping->roles = roles;
  grouping->ids = lm_numbers_new ();
  grouping->sets = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  for (guint i = 0; i < roles->roles->len; i++)
    {
      GArray *set = resolve_role (grouping, g_ptr_array_index (roles->roles, i), recommended, error);
      if (set == NULL)
        return NULL;
      g_ptr_array_add (grouping->sets, set);
    }
  number_packages (grouping);
  fill_roles (grouping);
  grouping->input = (LmLayeringInput){ .sizes = grouping->sizes,
                                       .n_packages = grouping->ids->len,
                                       .roles = grouping->layering_roles,
                                       .n_roles = roles->roles->len,
                                       .max_layers = max_layers,
                                       .overhead = LAYER_OVERHEAD,
                                       .fits = package_fits,
                                       .fits_data = grouping };
  add_up_sizes (grouping);
  grouping->layering = lm_layering_new (&grouping->input);
  grouping->longest = longest_chain (grouping);
  name_layers (grouping);
  return g_steal_pointer (&grouping);
}

void
lm_grouping_free (LmGrouping *grouping)
{
  if (grouping == NULL)
    return;
  lm_layering_free (grouping->layering);
  g_array_unref (grouping->ids);
  g_strfreev (grouping->names);
  g_ptr_array_unref (grouping->sets);
  g_free (grouping->layering_roles);
  g_free (grouping->sizes);
  g_free (grouping);
}

/* Whether a role with the layer @layer asks for the package @number. */
static gboolean
is_asked_for (const LmGrouping *grouping, guint layer, guint number)
{
  for (guint role = 0; role < grouping->input.n_roles; role++)
    if (is_in_chain (grouping, layer, role) && lm_numbers_have (grouping->input.roles[role].packages, number))
      return TRUE;
  return FALSE;
}

LmGroupingReason
lm_grouping_get_reason (const LmGrouping *grouping, guint layer)
{
  const GArray *packages = layer_at (grouping, layer)->packages;
  g_autofree guint *copies = g_new0 (guint, packages->len + 1);
  LmGroupingReason reason = { 0, 0 };
  for (guint i = 0; i < grouping->layering->layers->len; i++)
    {
      gboolean carries = FALSE;
      if (layer_at (grouping, i)->parent != layer)
        continue;
      for (guint j = 0; j < packages->len; j++)
        if (is_asked_for (grouping, i, g_array_index (packages, guint, j)))
          carries = TRUE, copies[j]++;
      reason.carriers += carries;
    }
  for (guint role = 0; role < grouping->input.n_roles; role++)
    if (grouping->layering->tops[role] == layer)
      {
        reason.carriers++;
        for (guint j = 0; j < packages->len; j++)
          copies[j] += lm_numbers_have (grouping->input.roles[role].packages, g_array_index (packages, guint, j));
      }
  for (guint j = 0; j < packages->len; j++)
    if (copies[j] > 1)
      reason.repeated += grouping->sizes[g_array_index (packages, guint, j)] * (copies[j] - 1);
  return reason;
}

/* The packages from the base to @layer, and @package, as numbers in the LmPackages. */
static GArray *
list_ids_with (const LmGrouping *grouping, guint layer, guint package)
{
  GArray *ids = lm_numbers_new ();
  g_array_append_val (ids, g_array_index (grouping->ids, guint, package));
  for (; layer != G_MAXUINT; layer = layer_at (grouping, layer)->parent)
    for (guint i = 0; i < layer_at (grouping, layer)->packages->len; i++)
      {
        const guint number = g_array_index (layer_at (grouping, layer)->packages, guint, i);
        if (number != package)
          g_array_append_val (ids, g_array_index (grouping->ids, guint, number));
      }
  lm_numbers_sort (ids);
  return ids;
}

gboolean
lm_grouping_can_hold (const LmGrouping *grouping, guint package, guint layer)
{
  g_autoptr (GArray) chain = list_ids_with (grouping, layer, package);
  if (!lm_packages_fits (grouping->packages, g_array_index (grouping->ids, guint, package), chain))
    return FALSE;
  for (guint role = 0; role < grouping->input.n_roles; role++)
    {
      if (!is_in_chain (grouping, layer, role))
        continue;
      g_autoptr (GArray) whole = list_ids_with (grouping, grouping->layering->tops[role], package);
      for (guint i = 0; i < whole->len; i++)
        if (!lm_packages_fits (grouping->packages, g_array_index (whole, guint, i), whole))
          return FALSE;
    }
  return TRUE;
}

guint
lm_grouping_find_layer (const LmGrouping *grouping, const char *name)
{
  for (guint i = 0; grouping->names[i]; i++)
    if (strcmp (grouping->names[i], name) == 0)
      return i;
  return G_MAXUINT;
}

guint
lm_grouping_find_package (const LmGrouping *grouping, const char *name)
{
  const guint id = lm_packages_find (grouping->packages, name, grouping->ids);
  return id ? lm_numbers_find (grouping->ids, id) : G_MAXUINT;
}
