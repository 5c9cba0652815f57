/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Catalogs in JSON so large that two threads read them. */
#include "config.h"
#include "tests/unit/lib/lab.h"
#include "catalog/catalog-split.h"
#include "plan/listing.h"

#include <string.h>

static char *
list_text (const char *text)
{
  g_autoptr (LmCatalogSet) set = lab_set (text);
  return lm_listing_to_json (set, NULL);
}

/* In one line, or with one for each layer; @middle is put into each layer,
 * @tail after them. */
static char *
make_large_json (const char *newline, const char *middle, const char *tail)
{
  GString *text = g_string_new ("{\"lamina-catalog\": 1, \"groups\": [{\"name\": \"os\"}], \"layers\": [");
  for (guint i = 0; i < 8000; i++)
    {
      g_string_append_printf (text, "%s%s{\"name\": \"l%u\", \"version\": \"%u\", \"group\": \"os\", %s\"builds\": "
                              "[{\"digest\": $b%u, \"size\": %u, \"urls\": [\"u%u\"]}, {\"digest\": $c%u, "
                              "\"parent\": $d, \"size\": 1, \"urls\": [\"v\"]}]}",
                              i > 0 ? "," : "", newline, i / 3, i, middle, i, i + 1, i, i);
    }
  g_string_append_printf (text, "]%s}", tail);
  return g_string_free (text, FALSE);
}

static void
test_large_json (void)
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
      g_autofree char *json = make_large_json (newline, middle, ", \"name\": \"big\"");
      g_autofree char *text = lab_expand (json);
      gsize size = strlen (text);
      LmCatalogSplit split;
      g_test_message ("%s", middle);
      g_assert_true (lm_catalog_split (text, size, &split));
      g_assert_true (g_str_has_prefix (g_strchug (text + split.second_begin), "{\"name\": \"l"));
      /* a key that is not known, after the layers, makes it be read in one */
      g_autofree char *whole = make_large_json (newline, middle, ", \"name\": \"big\", \"last\": 1");
      g_autofree char *two = list_text (json), *one = list_text (whole);
      g_assert_cmpstr (two, ==, one);
    }
}

/* What follows the layers counts as it does in a small catalog. */
static void
test_large_json_faults (void)
{
  static const char *const cases[][2] = {
    { ", \"groups\": []", "8001: \"groups\" is given twice" },
    { ", \"groups\": [], \"name\": \"big\"", "8001: \"groups\" is given twice" },
    { ", \"layers\": []", "8001: \"layers\" is given twice" },
    { ", \"name\": \"big\", \"name\": \"big\"", "8001: \"name\" is given twice" },
    { ", \"name\": 1", "8001: a string is needed here, not a whole number; put it in quotes" },
    { "]", NULL },
    { ", {}", NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = make_large_json ("\n", "", cases[i][0]);
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
  g_test_add_func ("/catalog-json/large", test_large_json);
  g_test_add_func ("/catalog-json/large-faults", test_large_json_faults);
  return g_test_run ();
}
