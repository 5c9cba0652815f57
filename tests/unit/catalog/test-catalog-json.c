/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Catalogs in JSON. */
#include "config.h"
#include "tests/unit/lib/lab.h"
#include "plan/listing.h"

#include <string.h>

static char *
list_text (const char *text)
{
  g_autoptr (LmCatalogSet) set = lab_set (text);
  return lm_listing_to_json (set, NULL, NULL, NULL);
}

/* On one line, or with one line per layer; @middle is inserted into each layer,
 * @tail after them. */
static char *
make_json (const char *newline, const char *middle, const char *tail)
{
  GString *text = g_string_new ("{\"lamina-catalog\": 1, \"groups\": [{\"name\": \"os\"}], \"layers\": [");
  for (guint i = 0; i < 100; i++)
    {
      g_string_append_printf (text, "%s%s{\"name\": \"l%u\", \"version\": \"%u\", \"group\": \"os\", %s\"builds\": "
                              "[{\"digest\": $b%u, \"size\": %u, \"urls\": [\"u%u\"]}, {\"digest\": $c%u, "
                              "\"parent\": $d, \"size\": 1, \"urls\": [\"v\"]}]}",
                              i > 0 ? "," : "", newline, i / 3, i, middle, i, i + 1, i, i);
    }
  g_string_append_printf (text, "]%s}", tail);
  return g_string_free (text, FALSE);
}

/* JSON as any program may write it is accepted, even where it is not valid YAML. */
static void
test_json_only (void)
{
  static const char *const summaries[][2] = { { "rocket \\ud83d\\ude80", "rocket \xf0\x9f\x9a\x80" },
                                              { "\\ud83c\\udde9\\ud83c\\uddea", "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa" },
                                              { "a\\/b \\u00fc", "a/b \xc3\xbc" } };
  static const char *const colons[] = { ":", "\n:\n", "\t:\t", " : " };
  static const char *const marks[] = { "", "\xef\xbb\xbf", "\n\t " };
  for (guint i = 0; i < G_N_ELEMENTS (summaries) * G_N_ELEMENTS (colons) * G_N_ELEMENTS (marks); i++)
    {
      g_autoptr (GError) error = NULL;
      const char *const *summary = summaries[i % G_N_ELEMENTS (summaries)];
      g_autofree char *text = g_strdup_printf ("%s{\"lamina-catalog\": 1, \"groups\": [{\"name\": \"os\"}], \"layers\": [{\"name\": \"x\", "
                                               "\"version\": \"1\", \"group\": \"os\", \"summary\"%s\"%s\", \"builds\": "
                                               "[{\"digest\": $x, \"size\": 1, \"urls\": [\"x\"]}]}]}",
                                               marks[i / 4 % G_N_ELEMENTS (marks)], colons[i % G_N_ELEMENTS (colons)], summary[0]);
      g_autoptr (LmCatalog) catalog = lab_parse (text, NULL, &error);
      g_assert_no_error (error);
      g_autoptr (LmLayer) layer = lm_catalog_load_layer (catalog, 0);
      g_assert_cmpstr (layer->summary, ==, summary[1]);
    }
}

static void
test_same_as_yaml (void)
{
  static const char *const middles[] = {
    "",
    "\"summary\": \"}]}, {\", ",
    "\"summary\": \"\\\"}]}, {\\\"\\\\\", ",
    "\"x\": [[[{}, {}], {}], {}], ",
  };
  static const char *const newlines[] = { "", "\n" };
  for (guint i = 0; i < G_N_ELEMENTS (middles) * G_N_ELEMENTS (newlines); i++)
    {
      const char *middle = middles[i / 2], *newline = newlines[i % 2];
      g_autofree char *json = make_json (newline, middle, ", \"name\": \"big\"");
      g_test_message ("%s", middle);
      /* with another comma it is YAML, not JSON */
      g_autofree char *yaml = make_json (newline, middle, ", \"name\": \"big\",");
      g_autofree char *two = list_text (json), *one = list_text (yaml);
      g_assert_cmpstr (two, ==, one);
    }
}

/* Errors after the layers are found as in a small catalog. */
static void
test_faults (void)
{
  static const char *const cases[][2] = {
    { ", \"groups\": []", "101: \"groups\" is given twice" },
    { ", \"groups\": [], \"name\": \"big\"", "101: \"groups\" is given twice" },
    { ", \"layers\": []", "101: \"layers\" is given twice" },
    { ", \"name\": \"big\", \"name\": \"big\"", "101: \"name\" is given twice" },
    { ", \"name\": 1", "101: expected a string, not a whole number; put it in quotes" },
    { "]", "101: expected a comma or }" },
    { ", {}", "101: a key must be a single value" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = make_json ("\n", "", cases[i][0]);
      g_test_message ("%s", cases[i][0]);
      g_assert_null (lab_parse (text, NULL, &error));
      g_assert_nonnull (error);
      g_test_message ("%s", error->message);
      if (cases[i][1] != NULL)
        g_assert_nonnull (strstr (error->message, cases[i][1]));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/catalog-json/json-only", test_json_only);
  g_test_add_func ("/catalog-json/same-as-yaml", test_same_as_yaml);
  g_test_add_func ("/catalog-json/faults", test_faults);
  return g_test_run ();
}
