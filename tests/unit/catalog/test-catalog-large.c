/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Catalogs that are large, or have large lists. */
#include "config.h"
#include "catalog/catalog-json.h"
#include "plan/listing.h"
#include "tests/unit/lib/lab.h"

#include <string.h>

/* A catalog that comments make large enough to be read by two threads: @middle is
 * inserted among its layers. */
static char *
make_large (const char *middle, const char *tail)
{
  GString *text = g_string_new ("lamina-catalog: 1\nname: big\ngroups:\n  - {name: os}\nlayers:\n# the first\n");
  g_autofree char *padding = g_strnfill (2000, '#');
  for (guint i = 0; i < 800; i++)
    {
      g_string_append_printf (text,
                              "  - name: l%u # %s\n    version: \"%u\"\n    group: os\n    provides: [p%u, \"q = %u\"]\n"
                              "    boot: {kernel: {digest: $k%u, size: 1, urls: [k]}}\n"
                              "    builds:\n      - {digest: $b%u, size: %u, urls: [u%u, \"https://h.example/u%u\"]}\n",
                              i / 3, padding, i, i % 10, i, i, i, i + 1, i, i);
      if (i % 10 == 5)
        g_string_append (text, middle);
    }
  g_string_append (text, tail);
  return g_string_free (text, FALSE);
}

/* Returns everything that @catalog says about its layers. */
static char *
write_all (const LmCatalog *catalog)
{
  g_autoptr (GPtrArray) groups = g_ptr_array_new ();
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  for (guint i = 0; i < lm_catalog_get_n_layers (catalog); i++)
    g_ptr_array_add (layers, lm_catalog_load_layer (catalog, i));
  return lm_catalog_to_json (NULL, groups, layers);
}

static char *
list_large (const char *middle, const char *tail, GPtrArray *warnings)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = make_large (middle, tail);
  g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
  LmCatalog *catalog = lab_parse (text, warnings, &error);
  g_assert_no_error (error);
  lm_catalog_set_add (set, catalog, 0);
  char *json = lm_listing_to_json (set, NULL, NULL, &error);
  g_assert_no_error (error);
  return json;
}

/* Reading in two parts and in one gives the same result. */
static void
test_large (void)
{
  static const char *const middles[] = {
    "",
    "    x: |\n      - name: fake\n        - {a: 1}\n\n",
    "    x:\n    - {a: 1}\n    -  b\n",
    "    x: [a\n  - b\n  - c,\n  d\n  - e]\n",
    "    x: \"\n  - name: fake\n  - name: fake\n  - name: fake\"\n",
    "    x: 'a\n\n  - b\n\n  - c'\n",
    "  # - name: fake\n",
    "\r\n",
  };
  for (guint i = 0; i < G_N_ELEMENTS (middles); i++)
    {
      g_test_message ("%s", middles[i]);
      g_autofree char *two = list_large (middles[i], "", NULL);
      /* because of a key after the layers it is read in one part */
      g_autofree char *one = list_large (middles[i], "last: 1\n", NULL);
      g_assert_cmpstr (two, ==, one);
    }
}

/* The name may be in either part. */
static void
test_large_name (void)
{
  for (guint last = 0; last < 2; last++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = make_large ("", last ? "name: big\n" : "");
      char *first = strstr (text, "name: big\n");
      if (last)
        memset (first, '#', strlen ("name: big"));
      g_autoptr (LmCatalog) catalog = lab_parse (text, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (lm_catalog_get_name (catalog), ==, "big");
    }
}

/* What builds contain, whether the text is read in two parts, in one, as JSON, or from its index. */
static void
test_large_contents (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *large = make_large ("", "");
  g_auto (GStrv) pieces = g_strsplit (large, "size: 7", -1); /* 7, 70 to 79, ... */
  g_autoptr (GString) changed = g_string_new (pieces[0]);
  for (guint i = 1; pieces[i] != NULL; i++)
    g_string_append_printf (changed, "packages: [same=1, only=%u], lock: $lock%u, size: 7%s", i, i, pieces[i]);
  const char *text = changed->str;
  g_autofree char *last = g_strconcat (text, "last: 1\n", NULL);
  g_assert_cmpuint (g_strv_length (pieces), >, 100);
  g_autoptr (LmCatalog) two = lab_parse (text, NULL, &error), one = lab_parse (last, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *all = write_all (two), *same = write_all (one);
  g_assert_nonnull (strstr (all, "\"only=2\""));
  g_assert_cmpstr (all, ==, same);
  g_autoptr (GBytes) serialized = lm_catalog_serialize (two, "s");
  g_autoptr (LmCatalog) loaded = lm_catalog_load (serialized, "lab", NULL, LAB_URL, "s", &error);
  g_assert_no_error (error);
  g_autofree char *from_index = write_all (loaded);
  g_assert_cmpstr (from_index, ==, all);
  char *groups = strstr (all, "[]");
  g_autofree char *json = g_strdup_printf ("%.*s[{\"name\": \"os\"}]%s", (int) (groups - all), all, groups + 2);
  g_autoptr (LmCatalog) read = lab_parse (json, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *from_json = write_all (read);
  g_assert_cmpstr (from_json, ==, all);
}

static void
test_too_many_packages (void)
{
  for (guint more = 0; more < 2; more++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GString) text = g_string_new ("lamina-catalog: 1\ngroups: [{name: os}]\nlayers:\n"
                                               "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a], packages: [");
      for (guint i = 0; i < 20000 + more; i++)
        g_string_append_printf (text, "p%u=1, ", i);
      g_string_append (text, "]}]}\n");
      g_autoptr (LmCatalog) catalog = lab_parse (text->str, NULL, &error);
      g_assert_true ((catalog != NULL) == (more == 0));
      if (more > 0)
        g_assert_cmpstr (error->message, ==, LAB_URL ":4: too many \"packages\" of a build of \"a\"");
    }
}

static void
test_large_warnings (void)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) same = g_ptr_array_new_with_free_func (g_free);
  g_free (list_large ("    x: 1\n", "", warnings));
  g_free (list_large ("    x: 1\n", "last: 1\n", same));
  g_assert_cmpuint (warnings->len, ==, 80);
  g_assert_cmpuint (same->len, ==, 81);
  for (guint i = 0; i < warnings->len; i++)
    g_assert_cmpstr (warnings->pdata[i], ==, same->pdata[i]);
}

static void
test_large_faults (void)
{
  static const struct
  {
    const char *middle, *tail, *message;
  } cases[] = {
    { "", "  - {name: A}\n", "5607: \"A\" is not a name (lower-case letters, digits and + . _ -, at most 64)" },
    { "", "layers: []\n", "5607: \"layers\" is given twice" },
    { "", "  - {name: l0, version: \"0\", group: os, builds: [{digest: $z, size: 1, urls: [a]}]}\n",
      "5607: line 7 has the same version of this layer" },
    { "", "  - {name: z, version: \"0\", group: os, builds: [{digest: $b799, size: 1, urls: [a]}]}\n",
      "5607: line 5606 has a build with the same digest" },
    { "", "  - {name: z, version: \"0\", group: gone, builds: [{digest: $z, size: 1, urls: [a]}]}\n",
      "5607: the layer \"z\" belongs to the group \"gone\", which is not listed in \"groups\"" },
    { "", "groups: []\n", "5607: \"groups\" is given twice" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = make_large (cases[i].middle, cases[i].tail);
      g_autofree char *message = g_strconcat (LAB_URL ":", cases[i].message, NULL);
      g_assert_null (lab_parse (text, NULL, &error));
      g_assert_error (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID);
      g_assert_cmpstr (error->message, ==, message);
    }
}

/* A text in which groups would be mistaken for layers if only '\n' ended a line. */
static void
test_large_line_ends (void)
{
  static const char *const tricks[] = { "\r", "\xe2\x80\xa8", "\xc2\x85" };
  for (guint i = 0; i < G_N_ELEMENTS (tricks); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *middle = g_strdup_printf ("  # x%sgroups:\n", tricks[i]);
      g_autofree char *text = make_large (middle, "");
      g_assert_null (lab_parse (text, NULL, &error));
      g_assert_true (g_str_has_suffix (error->message, ": \"groups\" is given twice"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/catalog-large/two-parts", test_large);
  g_test_add_func ("/catalog-large/name", test_large_name);
  g_test_add_func ("/catalog-large/contents", test_large_contents);
  g_test_add_func ("/catalog-large/too-many-packages", test_too_many_packages);
  g_test_add_func ("/catalog-large/warnings", test_large_warnings);
  g_test_add_func ("/catalog-large/faults", test_large_faults);
  g_test_add_func ("/catalog-large/line-ends", test_large_line_ends);
  return g_test_run ();
}
