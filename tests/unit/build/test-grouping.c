/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/yaml.h"
#include "build/grouping.h"

#include <string.h>

/* The reference example of test-graph.c, with packages that tell roles apart. */
static const char index_text[] = "Package: a\nVersion: 1\nDepends: b, c\nInstalled-Size: 20000\n\n"
                                 "Package: b\nVersion: 1\nInstalled-Size: 20000\n\n"
                                 "Package: c\nVersion: 1\nDepends: d, e\nInstalled-Size: 20000\n\n"
                                 "Package: d\nVersion: 1\nInstalled-Size: 20000\n\n"
                                 "Package: e\nVersion: 1\nInstalled-Size: 20000\n\n"
                                 "Package: f\nVersion: 1\nDepends: g\nInstalled-Size: 20000\n\n"
                                 "Package: g\nVersion: 1\nDepends: f\nInstalled-Size: 20000\n\n"
                                 "Package: o\nVersion: 1\nInstalled-Size: 20000\n\n"
                                 "Package: v\nVersion: 1\nInstalled-Size: 20000\n\n"
                                 "Package: w\nVersion: 1\nInstalled-Size: 20000\n\n"
                                 "Package: x\nVersion: 1\nInstalled-Size: 20000\n\n"
                                 "Package: y\nVersion: 1\nConflicts: x\nInstalled-Size: 20000\n";

static LmRoles *
roles_of (const char *text)
{
  g_autoptr (GError) error = NULL;
  LmRoles *roles = lm_roles_parse ("roles", text, strlen (text), &error);
  g_assert_no_error (error);
  return roles;
}

static LmPackages *
packages_of (const char *text)
{
  g_autoptr (LmPackages) packages = lm_packages_new ();
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  g_assert_true (lm_packages_add (packages, bytes, NULL, "test", NULL));
  return g_steal_pointer (&packages);
}

/* The names of the packages of @layer. */
static char *
list_layer (LmPackages *packages, const LmGrouping *grouping, guint layer)
{
  const GArray *numbers = ((const LmLayeringLayer *) g_ptr_array_index (grouping->layering->layers, layer))->packages;
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < numbers->len; i++)
    g_string_append_printf (names, "%s%s", i ? " " : "",
                            lm_packages_get (packages, g_array_index (grouping->ids, guint, g_array_index (numbers, guint, i))).name);
  return g_string_free (g_steal_pointer (&names), FALSE);
}

static gboolean
has_layer (LmPackages *packages, const LmGrouping *grouping, const char *names)
{
  for (guint i = 0; i < grouping->layering->layers->len; i++)
    {
      g_autofree char *list = list_layer (packages, grouping, i);
      if (strcmp (list, names) == 0)
        return TRUE;
    }
  return FALSE;
}

static void
test_reference_groups (void)
{
  g_autoptr (LmPackages) packages = packages_of (index_text);
  g_autoptr (LmRoles) roles = roles_of ("base: [o]\n"
                                        "roles:\n"
                                        "- {name: one, packages: [c, v]}\n"
                                        "- {name: two, packages: [c, w]}\n"
                                        "- {name: three, packages: a}\n"
                                        "- {name: four, packages: [f, x]}\n"
                                        "- {name: five, packages: [g, y]}\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (LmGrouping) grouping = lm_grouping_new (packages, roles, 8, FALSE, &error);
  g_assert_no_error (error);
  g_assert_true (has_layer (packages, grouping, "o"));
  g_assert_true (has_layer (packages, grouping, "c d e"));
  g_assert_true (has_layer (packages, grouping, "f g"));
  g_assert_true (has_layer (packages, grouping, "a b"));
  g_assert_cmpuint (grouping->layering->layers->len, ==, 8);
  g_assert_cmpuint (grouping->longest, ==, 3);
  const guint layer = lm_grouping_find_layer (grouping, "c");
  g_assert_cmpuint (layer, !=, G_MAXUINT);
  const LmGroupingReason reason = lm_grouping_get_reason (grouping, layer);
  g_assert_cmpuint (reason.carriers, ==, 3);
  g_assert_cmpuint (reason.repeated, ==, 2 * 60000 * 1024);
  g_assert_cmpuint (lm_grouping_find_package (grouping, "nothing"), ==, G_MAXUINT);
  g_assert_cmpuint (lm_grouping_find_layer (grouping, "nothing"), ==, G_MAXUINT);
}

/* The packages of the layers from the base to @layer. */
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
  return chain;
}

/* A package that roles did not ask for must not be in their chain if it conflicts with theirs. */
static void
test_conflicting_excess (void)
{
  g_autoptr (LmPackages) packages = packages_of (index_text);
  g_autoptr (LmRoles) roles = roles_of ("roles:\n"
                                        "- {name: one, weight: 100, packages: [o, x, v]}\n"
                                        "- {name: two, weight: 100, packages: [o, x, w]}\n"
                                        "- {name: three, weight: 0.001, packages: [o, y]}\n");
  /* With two layers only, x would be in the base, for lack of a layer for two of three roles. */
  g_autoptr (LmGrouping) grouping = lm_grouping_new (packages, roles, 2, FALSE, NULL);
  g_assert_nonnull (grouping);
  g_autoptr (GArray) chain = list_chain (grouping->layering, grouping->layering->tops[1]);
  g_assert_cmpuint (chain->len, ==, 2);
}

/* However they are found, layers have different names. */
static void
test_unique_names (void)
{
  g_autoptr (LmPackages) packages = packages_of (index_text);
  g_autoptr (LmRoles) roles = roles_of ("roles:\n- {name: one, packages: [b]}\n- {name: two, packages: [d]}\n"
                                        "- {name: three, packages: [e]}\n- {name: four, packages: [o]}\n");
  g_autoptr (LmGrouping) grouping = lm_grouping_new (packages, roles, 8, FALSE, NULL);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  g_assert_nonnull (grouping);
  g_assert_cmpuint (grouping->layering->layers->len, ==, 4);
  for (char **name = grouping->names; *name; name++)
    g_assert_true (g_hash_table_add (names, *name));
  g_assert_cmpuint (g_hash_table_size (names), ==, 4);
}

static void
test_can_hold (void)
{
  g_autoptr (LmPackages) packages = packages_of (index_text);
  g_autoptr (LmRoles) roles = roles_of ("roles:\n- {name: one, packages: [o, c, x]}\n- {name: two, packages: [o, y]}\n");
  g_autoptr (LmGrouping) grouping = lm_grouping_new (packages, roles, 8, FALSE, NULL);
  g_assert_nonnull (grouping);
  const guint base = lm_grouping_find_layer (grouping, "base");
  g_assert_true (lm_grouping_can_hold (grouping, lm_grouping_find_package (grouping, "o"), base));
  g_assert_true (lm_grouping_can_hold (grouping, lm_grouping_find_package (grouping, "d"), base));
  g_assert_false (lm_grouping_can_hold (grouping, lm_grouping_find_package (grouping, "c"), base));
  g_assert_false (lm_grouping_can_hold (grouping, lm_grouping_find_package (grouping, "x"), base));
  g_assert_false (lm_grouping_can_hold (grouping, lm_grouping_find_package (grouping, "y"), base));
}

/* The order of the roles in the file does not matter. */
static void
test_order_of_roles (void)
{
  g_autoptr (LmPackages) packages = packages_of (index_text);
  g_autoptr (LmRoles) one = roles_of ("roles:\n- {name: x, packages: [o, c]}\n- {name: y, packages: [o, a]}\n- {name: z, packages: [f]}\n");
  g_autoptr (LmRoles) other = roles_of ("roles:\n- {name: z, packages: [f]}\n- {name: y, packages: [o, a]}\n- {name: x, packages: [o, c]}\n");
  g_autoptr (LmGrouping) first = lm_grouping_new (packages, one, 8, FALSE, NULL), second = lm_grouping_new (packages, other, 8, FALSE, NULL);
  g_assert_cmpuint (first->layering->layers->len, ==, second->layering->layers->len);
  for (guint i = 0; i < first->layering->layers->len; i++)
    {
      g_autofree char *a = list_layer (packages, first, i), *b = list_layer (packages, second, i);
      g_assert_cmpstr (a, ==, b);
    }
}

static void
test_impossible_role (void)
{
  g_autoptr (LmPackages) packages = packages_of (index_text);
  g_autoptr (LmRoles) roles = roles_of ("roles:\n- {name: one, packages: [o]}\n- {name: two, packages: [x, y]}\n");
  g_autoptr (GError) error = NULL;
  g_assert_null (lm_grouping_new (packages, roles, 8, FALSE, &error));
  g_assert_error (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_CONFLICT);
  g_assert_true (g_str_has_prefix (error->message, "role two: "));
}

static void
test_invalid_roles (void)
{
  static const struct
  {
    const char *text, *message;
  } cases[] = {
    { "", "roles:1: *mapping*" },
    { "[]", "roles:1: *mapping*" },
    { "base: [a]\n", "roles:1: there are no roles" },
    { "roles: []\n", "roles:1: there are no roles" },
    { "roles: 5\n", "roles:1: a list of roles*" },
    { "roles: {x: {name: x, packages: [a]}}\n", "roles:1: a list of roles*" },
    { "roles:\n- {name: x, weight: 0x10, packages: [a]}\n", "roles:2: the weight*" },
    { "base: {a: b}\nroles:\n- {name: x, packages: [a]}\n", "roles:1: a list*" },
    { "rules:\n- {name: x, packages: [a]}\n", "roles:2: unknown key \"rules\"*" },
    { "roles:\n- {name: x, packages: []}\n", "roles:2: *at least one package" },
    { "roles:\n- {packages: [a]}\n", "roles:2: *name*" },
    { "roles:\n- x\n", "roles:2: *name*" },
    { "roles:\n- {name: x y, packages: [a]}\n", "roles:2: the name*" },
    { "roles:\n- {name: x, packages: [[a]]}\n", "roles:2: the name of a package*" },
    { "roles:\n- {name: x, packages: [\"\"]}\n", "roles:2: the name of a package*" },
    { "roles:\n- {name: x, weight: -1, packages: [a]}\n", "roles:2: the weight*" },
    { "roles:\n- {name: x, weight: nan, packages: [a]}\n", "roles:2: the weight*" },
    { "roles:\n- {name: x, weight: 1e10, packages: [a]}\n", "roles:2: the weight*" },
    { "roles:\n- {name: x, weight: often, packages: [a]}\n", "roles:2: the weight*" },
    { "roles:\n- {name: x, package: [a]}\n", "roles:2: unknown key \"package\"*" },
    { "roles:\n- {name: x, packages: [a]}\n- {name: x, packages: [b]}\n", "roles:3: *two roles*" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (lm_roles_parse ("roles", cases[i].text, strlen (cases[i].text), &error));
      g_assert_error (error, LM_YAML_ERROR, LM_YAML_ERROR_TYPE);
      if (!g_pattern_match_simple (cases[i].message, error->message))
        g_error ("%s: %s", cases[i].text, error->message);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/grouping/reference", test_reference_groups);
  g_test_add_func ("/build/grouping/conflicting-excess", test_conflicting_excess);
  g_test_add_func ("/build/grouping/unique-names", test_unique_names);
  g_test_add_func ("/build/grouping/can-hold", test_can_hold);
  g_test_add_func ("/build/grouping/order-of-roles", test_order_of_roles);
  g_test_add_func ("/build/grouping/impossible-role", test_impossible_role);
  g_test_add_func ("/build/grouping/invalid-roles", test_invalid_roles);
  return g_test_run ();
}
