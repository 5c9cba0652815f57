/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/graph.h"
#include "build/packages.h"
#include "build/repository.h"

#include <glib/gstdio.h>
#include <string.h>

/* a needs b and c, c needs d and e, f and g need each other. */
static const char reference[] = "Package: a\nVersion: 1\nArchitecture: all\nDepends: b, c\nInstalled-Size: 10\nSize: 1000\n\n"
                                "Package: b\nVersion: 1\nArchitecture: all\nInstalled-Size: 20\nSize: 2000\n\n"
                                "Package: c\nVersion: 1\nArchitecture: all\nDepends: d, e\nInstalled-Size: 30\nSize: 3000\n\n"
                                "Package: d\nVersion: 1\nArchitecture: all\nInstalled-Size: 40\nSize: 4000\n\n"
                                "Package: e\nVersion: 1\nArchitecture: all\nInstalled-Size: 50\nSize: 5000\n\n"
                                "Package: f\nVersion: 1\nArchitecture: all\nDepends: g\nInstalled-Size: 60\nSize: 6000\n\n"
                                "Package: g\nVersion: 1\nArchitecture: all\nPre-Depends: f\nInstalled-Size: 70\nSize: 7000\n";

static LmPackages *
packages_of (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmPackages) packages = lm_packages_new ();
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  gboolean added = lm_packages_add (packages, bytes, NULL, "test", &error);
  g_assert_no_error (error);
  g_assert_true (added);
  return g_steal_pointer (&packages);
}

/* The names of what the words of @wanted install, in alphabetical order. */
static char *
resolve (LmPackages *packages, const char *wanted, gboolean recommended, GError **error)
{
  g_auto (GStrv) words = g_strsplit (wanted, " ", -1);
  g_autoptr (GArray) ids
    = lm_packages_resolve (packages, (const char *const *) words, g_strv_length (words), recommended, error);
  if (ids == NULL)
    return NULL;
  g_autoptr (LmGraph) graph = lm_graph_new (packages, ids, FALSE);
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint node = 0; node < lm_graph_get_size (graph); node++)
    {
      const LmPackage package = lm_packages_get (packages, lm_graph_get_package (graph, node));
      g_string_append_printf (names, "%s%s", node ? " " : "", package.name);
    }
  return g_string_free (g_steal_pointer (&names), FALSE);
}

static void
assert_resolves (LmPackages *packages, const char *wanted, gboolean recommended, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *names = resolve (packages, wanted, recommended, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (names, ==, expected);
}

static void
assert_counts (const LmGraph *graph, guint node, guint direct, guint transitive, guint mutual)
{
  g_autoptr (GArray) all = lm_graph_list_transitive (graph, node), group = lm_graph_list_mutual (graph, node);
  g_assert_cmpuint (lm_graph_get_direct (graph, node)->len, ==, direct);
  g_assert_cmpuint (all->len, ==, transitive);
  g_assert_cmpuint (group->len, ==, mutual);
}

static void
test_reference_counts (void)
{
  g_autoptr (LmPackages) packages = packages_of (reference);
  const char *const wanted[] = { "a", "f" };
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) ids = lm_packages_resolve (packages, wanted, 2, FALSE, &error);
  g_assert_no_error (error);
  g_autoptr (LmGraph) graph = lm_graph_new (packages, ids, FALSE);
  g_assert_cmpuint (lm_graph_get_size (graph), ==, 7);
  assert_counts (graph, 0, 2, 4, 0);
  assert_counts (graph, 1, 0, 0, 0);
  assert_counts (graph, 2, 2, 2, 0);
  assert_counts (graph, 5, 1, 1, 1);
  assert_counts (graph, 6, 1, 1, 1);
  /* What is needed comes before what needs it. */
  g_assert_cmpuint (lm_graph_get_group (graph, 3), <, lm_graph_get_group (graph, 2));
  g_assert_cmpuint (lm_graph_get_group (graph, 2), <, lm_graph_get_group (graph, 0));
  g_assert_cmpuint (lm_graph_get_group (graph, 5), ==, lm_graph_get_group (graph, 6));
}

static void
test_sizes (void)
{
  g_autoptr (LmPackages) packages = packages_of (reference);
  const char *const wanted[] = { "g" };
  g_autoptr (GArray) ids = lm_packages_resolve (packages, wanted, 1, FALSE, NULL);
  g_assert_nonnull (ids);
  const LmPackage package = lm_packages_get (packages, lm_packages_find (packages, "g", ids));
  g_assert_cmpstr (package.name, ==, "g");
  g_assert_cmpstr (package.version, ==, "1");
  g_assert_cmpstr (package.architecture, ==, "all");
  g_assert_cmpuint (package.download_size, ==, 7000);
  g_assert_cmpuint (package.installed_size, ==, 70 * 1024);
  g_assert_cmpuint (lm_packages_find (packages, "a", ids), ==, 0);
  g_assert_cmpuint (lm_packages_find (packages, "nothing", ids), ==, 0);
}

static void
test_dependents (void)
{
  g_autoptr (LmPackages) packages = packages_of (reference);
  const char *const wanted[] = { "d" };
  g_autoptr (GArray) ids = lm_packages_resolve (packages, wanted, 1, FALSE, NULL);
  g_autoptr (GArray) dependents = lm_packages_list_dependents (packages, g_array_index (ids, guint, 0));
  g_assert_cmpuint (dependents->len, ==, 1);
  g_assert_cmpstr (lm_packages_get (packages, g_array_index (dependents, guint, 0)).name, ==, "c");
}

static void
test_alternatives (void)
{
  g_autoptr (LmPackages) packages
    = packages_of ("Package: first\nVersion: 1\nProvides: mail\n\n"
                   "Package: other\nVersion: 1\nProvides: mail\nPriority: important\n\n"
                   "Package: zwei\nVersion: 1\nDepends: first | other\n\n"
                   "Package: drei\nVersion: 1\nDepends: other | first\n\n"
                   "Package: vier\nVersion: 1\nDepends: mail\n\n"
                   "Package: five\nVersion: 1\nDepends: zwei, other\n\n"
                   "Package: six\nVersion: 1\nDepends: first | other\nConflicts: first\n\n"
                   "Package: seven\nVersion: 1\nRecommends: first\n\n"
                   "Package: old\nVersion: 1\n\nPackage: old\nVersion: 1.10\n\nPackage: old\nVersion: 1.9\n");
  assert_resolves (packages, "zwei", FALSE, "first zwei");
  assert_resolves (packages, "drei", FALSE, "drei other");
  assert_resolves (packages, "vier", FALSE, "other vier");
  assert_resolves (packages, "five", FALSE, "five other zwei");
  assert_resolves (packages, "six", FALSE, "other six");
  assert_resolves (packages, "seven", FALSE, "seven");
  assert_resolves (packages, "seven", TRUE, "first seven");
  assert_resolves (packages, "mail", FALSE, "other");
  const char *const wanted[] = { "old" }, *const exact[] = { "old=1.9" };
  g_autoptr (GArray) newest = lm_packages_resolve (packages, wanted, 1, FALSE, NULL);
  g_autoptr (GArray) chosen = lm_packages_resolve (packages, exact, 1, FALSE, NULL);
  g_assert_cmpstr (lm_packages_get (packages, g_array_index (newest, guint, 0)).version, ==, "1.10");
  g_assert_cmpstr (lm_packages_get (packages, g_array_index (chosen, guint, 0)).version, ==, "1.9");
}

static void
test_impossible (void)
{
  g_autoptr (LmPackages) packages = packages_of ("Package: a\nVersion: 1\nConflicts: b\n\nPackage: b\nVersion: 1\n\n"
                                                 "Package: c\nVersion: 1\nDepends: missing (>= 2)\n");
  static const struct
  {
    const char *wanted;
    LmPackagesError code;
    const char *message;
  } cases[] = {
    { "a b", LM_PACKAGES_ERROR_CONFLICT, "*a, b cannot be installed together*conflicts with b*" },
    { "c", LM_PACKAGES_ERROR_CONFLICT, "*missing*" },
    { "a nginx", LM_PACKAGES_ERROR_UNKNOWN, "*nginx*" },
    { "a=2", LM_PACKAGES_ERROR_UNKNOWN, "*a=2*" },
    { "=", LM_PACKAGES_ERROR_UNKNOWN, "*" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (resolve (packages, cases[i].wanted, FALSE, &error));
      g_assert_error (error, LM_PACKAGES_ERROR, (int) cases[i].code);
      g_assert_true (g_pattern_match_simple (cases[i].message, error->message));
    }
}

static void
test_several_indexes (void)
{
  g_autoptr (LmPackages) packages = packages_of (reference);
  g_autoptr (GBytes) more = g_bytes_new_static ("\n\npackage: h\nversion: 2\nsize: 8000\ndepends: a\n", 46);
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_autoptr (GError) error = NULL;
  gboolean added = lm_packages_add (packages, more, NULL, "more", &error);
  g_assert_no_error (error);
  g_assert_true (added);
  g_assert_true (lm_packages_add (packages, nothing, NULL, "nothing", NULL));
  assert_resolves (packages, "h", FALSE, "a b c d e h");
}

static void
assert_refused (const char *text, gsize size, const char *message)
{
  g_autoptr (LmPackages) packages = lm_packages_new ();
  g_autoptr (GBytes) bytes = g_bytes_new (text, size);
  g_autoptr (GError) error = NULL;
  g_assert_false (lm_packages_add (packages, bytes, NULL, "bad", &error));
  g_assert_error (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, message));
}

/* libsolv reads these differently, or with a recursion for each part. */
static void
test_hostile_indexes (void)
{
  static const char nul[] = "Package: n\nVersion: 1\nSize: 10\n\0Package: m\nVersion: 2\n\nPackage: z\n";
  const char *const others[] = { "hello\n", "<html/>", "<a>" };
  g_autoptr (GString) alternatives = g_string_new ("Package: a\nDepends: z");
  g_autoptr (GString) nested = g_string_new ("<metadata><rpm:entry name=\"");
  for (guint i = 0; i < 100000; i++)
    {
      g_string_append (alternatives, " | z");
      g_string_append (nested, "(b or ");
    }
  g_string_append (alternatives, "\n");
  g_string_append (nested, "\"/></metadata>");
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    assert_refused (others[i], strlen (others[i]), "");
  assert_refused (nul, sizeof nul - 1, "NUL");
  assert_refused ("Package: a\r\nVersion: 1\r\n", 24, "CR LF");
  assert_refused (alternatives->str, alternatives->len, "alternatives");
  assert_refused (nested->str, nested->len, "nested");
}

/* Sizes that no package has do not make sums overflow, and the last line needs no end. */
static void
test_absurd_sizes (void)
{
  g_autoptr (LmPackages) packages = packages_of ("Package: a\nVersion: 1\nInstalled-Size: 99999999999999999999999\n"
                                                 "Size: 99999999999999999999999\n\nPackage: b\nVersion: 1\n\nPackage: c");
  const char *const wanted[] = { "a", "b", "c" };
  g_autoptr (GArray) ids = lm_packages_resolve (packages, wanted, 3, FALSE, NULL);
  g_assert_nonnull (ids);
  const LmPackage package = lm_packages_get (packages, lm_packages_find (packages, "a", ids));
  g_assert_cmpuint (package.installed_size, <=, G_GUINT64_CONSTANT (1) << 40);
  g_assert_cmpuint (package.download_size, <=, G_GUINT64_CONSTANT (1) << 50);
}

static void
test_recommended_edges (void)
{
  g_autoptr (LmPackages) packages = packages_of ("Package: a\nVersion: 1\nRecommends: r\n\nPackage: r\nVersion: 1\n");
  const char *const wanted[] = { "a" };
  g_autoptr (GArray) ids = lm_packages_resolve (packages, wanted, 1, TRUE, NULL);
  g_autoptr (LmGraph) with = lm_graph_new (packages, ids, TRUE), without = lm_graph_new (packages, ids, FALSE);
  assert_counts (with, 0, 1, 1, 0);
  assert_counts (without, 0, 0, 0, 0);
}

/* Versions, conflicts and needs, as seen from packages that are there. */
static void
test_fitting (void)
{
  g_autoptr (LmPackages) packages = packages_of ("Package: x\nVersion: 1\n\nPackage: x\nVersion: 2\n\n"
                                                 "Package: y\nVersion: 1\nConflicts: x (>= 2)\n\nPackage: z\nVersion: 1\nDepends: y\n");
  static const char *const names[] = { "x=1", "x=2", "y", "z" };
  guint id[G_N_ELEMENTS (names)];
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GArray) ids = lm_packages_resolve (packages, &names[i], 1, FALSE, NULL);
      id[i] = lm_packages_find (packages, names[i], ids);
    }
  g_autoptr (GArray) old = g_array_new (FALSE, FALSE, sizeof (guint)), both = g_array_new (FALSE, FALSE, sizeof (guint));
  g_array_append_val (old, id[0]);
  g_array_append_val (old, id[2]);
  g_array_append_vals (both, id, 2);
  g_assert_true (lm_packages_fits (packages, id[0], old));
  g_assert_true (lm_packages_fits (packages, id[2], old));
  g_assert_true (lm_packages_fits (packages, id[3], old));
  g_assert_false (lm_packages_fits (packages, id[1], old));
  g_assert_false (lm_packages_fits (packages, id[2], both));
  g_assert_false (lm_packages_fits (packages, id[3], both));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/graph/reference", test_reference_counts);
  g_test_add_func ("/build/packages/sizes", test_sizes);
  g_test_add_func ("/build/packages/dependents", test_dependents);
  g_test_add_func ("/build/packages/alternatives", test_alternatives);
  g_test_add_func ("/build/packages/impossible", test_impossible);
  g_test_add_func ("/build/packages/several", test_several_indexes);
  g_test_add_func ("/build/packages/hostile", test_hostile_indexes);
  g_test_add_func ("/build/packages/absurd-sizes", test_absurd_sizes);
  g_test_add_func ("/build/packages/fits", test_fitting);
  g_test_add_func ("/build/graph/recommended", test_recommended_edges);
  return g_test_run ();
}
