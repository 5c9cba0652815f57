/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/portable.h"
#include "tests/unit/lib/lab.h"

#include <string.h>

/* Returns what lm_portable_to_json() makes of all layers of @text. */
static char *
make_portable (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
  LmCatalog *catalog = lab_parse (text, NULL, &error);
  g_assert_no_error (error);
  lm_catalog_set_add (set, catalog, 0);
  g_autoptr (GPtrArray) groups = lm_catalog_set_load_groups (set);
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  for (guint i = 0; i < lm_catalog_get_n_layers (catalog); i++)
    g_ptr_array_add (layers, lm_catalog_load_layer (catalog, i));
  return lm_portable_to_json ("lab", groups, layers);
}

static LmCatalog *
parse_portable (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  LmCatalog *catalog = lm_portable_parse (bytes, "it", &error);
  g_assert_no_error (error);
  g_assert_nonnull (catalog);
  return catalog;
}

static void
assert_same_record (const LmBuild *one, const LmBuild *other)
{
  g_assert_true ((one->packages == NULL) == (other->packages == NULL) && (one->removed == NULL) == (other->removed == NULL));
  if (one->packages != NULL)
    {
      g_assert_cmpstrv (one->packages, other->packages);
      g_assert_cmpstrv (one->removed, other->removed);
    }
  g_assert_true (one->has_lock == other->has_lock && (!one->has_lock || lm_digest_equal (&one->lock, &other->lock)));
}

/* Everything that a catalog says is still there, and the same text comes out again. */
static void
test_round_trip (void)
{
  g_autofree char *text = make_portable (lab_catalog);
  g_autoptr (LmCatalog) catalog = parse_portable (text);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCatalog) before = lab_parse (lab_catalog, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (lm_catalog_get_name (catalog), ==, "lab");
  g_assert_cmpuint (lm_catalog_get_n_layers (catalog), ==, lm_catalog_get_n_layers (before));
  for (guint i = 0; i < lm_catalog_get_n_layers (before); i++)
    {
      g_autoptr (LmLayer) one = lm_catalog_load_layer (before, i), other = lm_catalog_load_layer (catalog, i);
      const char *const texts[][2] = {
        { one->name, other->name }, { one->version, other->version }, { one->group, other->group },
        { one->summary, other->summary }, { one->osinfo, other->osinfo }, { one->arch, other->arch },
        { one->ready, other->ready }, { one->cmdline, other->cmdline }, { one->origin, other->origin },
      };
      for (gsize t = 0; t < G_N_ELEMENTS (texts); t++)
        g_assert_cmpstr (texts[t][0], ==, texts[t][1]);
      g_assert_cmpstrv (one->provides, other->provides);
      g_assert_cmpstrv (one->requires, other->requires);
      g_assert_cmpstrv (one->conflicts, other->conflicts);
      g_assert_cmpuint (one->memory, ==, other->memory);
      g_assert_cmpuint (one->disk, ==, other->disk);
      g_assert_cmpuint (one->builds->len, ==, other->builds->len);
      for (guint b = 0; b < one->builds->len; b++)
        assert_same_record (lm_layer_get_build (one, b), lm_layer_get_build (other, b));
      g_assert_true ((one->kernel == NULL) == (other->kernel == NULL) && (one->initrd == NULL) == (other->initrd == NULL));
    }
  g_autoptr (GBytes) index = lm_catalog_serialize (catalog, "s");
  g_autoptr (LmCatalog) loaded = lm_catalog_load (index, "it", NULL, "https://archive.invalid/", "s", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (lm_catalog_get_name (loaded), ==, "lab");
}

/* Only what anybody may use from anywhere is left of the URLs. */
static void
test_urls (void)
{
  g_autofree char *given
    = lab_expand ("lamina-catalog: 1\ngroups: [{name: os}]\nlayers:\n  - {name: a, version: \"1\", group: os,\n"
                  "     boot: {kernel: {digest: $k, size: 1, urls: [k, \"https://me:pw@h.example/k\"]}},\n"
                  "     builds: [{digest: $a, size: 1, urls: [\"http://h.example/a\", \"https://h.example/a?t=1\",\n"
                  "       \"https://h.example/a#x\", \"https://archive.invalid/a\", \"HTTPS://h.example/b\"]}]}\n");
  g_autofree char *text = make_portable (given);
  g_autoptr (LmCatalog) catalog = parse_portable (text);
  g_autoptr (LmLayer) layer = lm_catalog_load_layer (catalog, 0);
  const LmBlob *build = &lm_layer_get_build (layer, 0)->blob;
  g_autofree char *name = lm_portable_file_name (LM_BLOB_LAYER, &build->digest);
  const char *const want[] = { "http://h.example/a", "https://h.example/b", NULL };
  g_assert_true (g_str_has_prefix (name, "layers/sha256-") && g_str_has_suffix (name, ".qcow2"));
  g_assert_cmpstrv (build->urls, want);
  /* The catalog is from http://lab.example/c/, so a relative URL is public. */
  g_assert_cmpstr (layer->kernel->urls[0], ==, "http://lab.example/c/k");
  g_assert_cmpuint (g_strv_length (layer->kernel->urls), ==, 1);
  g_assert_nonnull (strstr (text, name)); /* where the file is in an archive; nowhere for a catalog without one */
  g_assert_null (strstr (text, "pw"));
}

#define LAYERS(groups, layers) "lamina-catalog: 1\nname: x\ngroups: [" groups "]\nlayers:\n" layers

static LmCatalog *
parse_expanded (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *expanded = lab_expand (text);
  LmCatalog *catalog = lab_parse (expanded, NULL, &error);
  g_assert_no_error (error);
  return catalog;
}

static guint
count_builds (const LmCatalog *catalog, const char *name)
{
  guint n = 0, layer = lm_catalog_find_name (catalog, name);
  if (layer != LM_CATALOG_NONE)
    (void) lm_catalog_get_builds (catalog, layer, &n);
  return n;
}

static void
test_merge (void)
{
  g_autoptr (LmCatalog) one = parse_expanded (LAYERS (
    "{name: os, required: true}, {name: web}",
    "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a]}, {digest: $b, size: 1, urls: [b]}]}\n"
    "  - {name: w, version: \"1\", group: web, builds: [{parent: $a, digest: $w, size: 1, urls: [w]}]}\n"));
  g_autoptr (LmCatalog) other = parse_expanded (LAYERS (
    "{name: os, title: Systems}, {name: db}",
    "  - {name: a, version: \"1\", group: os, summary: new, builds: [{digest: $a, size: 1, urls: [a]}, {digest: $c, size: 1, urls: [c]}]}\n"
    "  - {name: d, version: \"1\", group: db, builds: [{parent: $a, digest: $d, size: 1, urls: [d]}]}\n"
    "  - {name: renamed, version: \"2\", group: db, builds: [{parent: $a, digest: $w, size: 1, urls: [w]}]}\n"));
  g_autofree char *text = lm_portable_merge ("m", one, other, FALSE);
  g_autoptr (LmCatalog) merged = parse_portable (text);
  g_assert_cmpstr (lm_catalog_get_name (merged), ==, "m");
  g_assert_cmpuint (count_builds (merged, "a"), ==, 3);
  g_assert_cmpuint (count_builds (merged, "d"), ==, 1);
  g_assert_cmpuint (count_builds (merged, "renamed"), ==, 1);
  g_assert_cmpuint (lm_catalog_find_name (merged, "w"), ==, LM_CATALOG_NONE);
  g_autoptr (LmLayer) a = lm_catalog_load_layer (merged, lm_catalog_find_name (merged, "a"));
  g_assert_cmpstr (a->summary, ==, "new");
  g_autoptr (LmGroup) os = lm_catalog_load_group (merged, 0);
  g_assert_cmpstr (os->title, ==, "Systems");
  g_assert_false (os->required);
  g_assert_cmpuint (lm_catalog_get_n_groups (merged), ==, 2); /* web has no layer any more */

  g_autofree char *again = lm_portable_merge ("m", merged, other, FALSE);
  g_assert_cmpstr (again, ==, text);
  g_autofree char *alone = lm_portable_merge ("m", NULL, other, FALSE);
  g_autoptr (LmCatalog) first = parse_portable (alone);
  g_autofree char *twice = lm_portable_merge ("m", first, other, FALSE);
  g_assert_cmpstr (twice, ==, alone);
}

static LmBuild *
find_build (const LmCatalog *catalog, const char *name)
{
  LmDigest digest = lm_digest_of_text (name);
  guint build = lm_catalog_find_build (catalog, &digest);
  g_assert_cmpuint (build, !=, LM_CATALOG_NONE);
  return lm_catalog_load_build (catalog, build);
}

/* What is recorded about a file is not lost when somebody lists it who does not know that. */
static void
test_merge_contents (void)
{
  static const char layer[] = "  - {name: a, version: \"1\", group: os, builds: [";
#define FILE_A "{digest: $a, size: 1, urls: [a]"
#define FILE_B "{digest: $b, parent: $a, size: 1, urls: [b]"
#define FILE_C "{digest: $c, parent: $a, size: 1, urls: [c]"
  g_autofree char *recorded = g_strconcat (LAYERS ("{name: os}", ""), layer, FILE_A ", packages: [x=1, y=1]}, " FILE_B
                                           ", packages: [x=2], removed: [y], lock: $l}, " FILE_C ", packages: [z=1], lock: $l}]}\n", NULL);
  g_autofree char *silent = g_strconcat (LAYERS ("{name: os}", ""), layer, FILE_A "}, " FILE_B ", lock: $m}, "
                                         "{digest: $c, parent: $b, size: 1, urls: [c]}]}\n", NULL);
  g_autoptr (LmCatalog) one = parse_expanded (recorded), other = parse_expanded (silent);
  for (guint replace = 0; replace < 2; replace++)
    {
      g_autofree char *text = lm_portable_merge ("m", one, other, replace), *turned = lm_portable_merge ("m", other, one, replace);
      g_autoptr (LmCatalog) merged = parse_portable (text), whole = parse_portable (turned);
      for (guint i = 0; i < 2; i++)
        {
          const LmCatalog *catalog = i == 0 ? merged : whole;
          g_autoptr (LmBuild) a = find_build (catalog, "a"), b = find_build (catalog, "b"), c = find_build (catalog, "c");
          g_assert_cmpstrv (a->packages, ((const char *const[]){ "x=1", "y=1", NULL }));
          g_assert_cmpstrv (b->packages, ((const char *const[]){ "x=2", NULL }));
          g_assert_cmpstrv (b->removed, ((const char *const[]){ "y", NULL }));
          LmDigest lock = lm_digest_of_text (i == 0 ? "m" : "l");
          g_assert_true (!a->has_lock && b->has_lock && lm_digest_equal (&b->lock, &lock));
          /* They disagree about the parent, so that the list is about something else. */
          g_assert_true (c->has_lock && (c->packages == NULL) == (i == 0));
        }
      g_autofree char *again = lm_portable_merge ("m", merged, other, replace);
      g_assert_cmpstr (again, ==, text);
    }
  /* An empty list says something. */
  g_autofree char *nothing = g_strconcat (LAYERS ("{name: os}", ""), layer, FILE_B ", packages: []}]}\n", NULL);
  g_autoptr (LmCatalog) empty = parse_expanded (nothing);
  g_autofree char *text = lm_portable_merge ("m", one, empty, FALSE);
  g_autoptr (LmCatalog) merged = parse_portable (text);
  g_autoptr (LmBuild) b = find_build (merged, "b");
  g_assert_true (b->packages[0] == NULL && b->removed[0] == NULL);
}

/* What replaces a layer on the same parent; another parent is another build. */
static void
test_replace (void)
{
  g_autoptr (LmCatalog) one = parse_expanded (LAYERS (
    "{name: os}",
    "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a]}, {parent: $x, digest: $b, size: 1, urls: [b]}]}\n"));
  g_autoptr (LmCatalog) other = parse_expanded (LAYERS (
    "{name: os}", "  - {name: a, version: \"1\", group: os, builds: [{digest: $c, size: 1, urls: [c]}]}\n"));
  g_autofree char *text = lm_portable_merge ("m", one, other, TRUE);
  g_autoptr (LmCatalog) merged = parse_portable (text);
  g_autofree char *want = lab_expand ("$a $b $c");
  g_auto (GStrv) digests = g_strsplit (want, " ", -1);
  g_assert_cmpuint (count_builds (merged, "a"), ==, 2);
  g_assert_null (strstr (text, digests[0]));
  g_assert_nonnull (strstr (text, digests[1]));
  g_assert_nonnull (strstr (text, digests[2]));
}

static gboolean
find_some (gpointer user_data, LmBlobKind kind, const LmDigest *digest)
{
  char text[LM_DIGEST_STRING_SIZE];
  return strstr (user_data, lm_digest_format (digest, text)) != NULL;
}

/* What is nowhere is not available; what has a URL is. */
static void
test_available (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *there = lab_expand ("$a $k $d");
  g_autofree char *text = lab_expand (LAYERS (
    "{name: os, title: Systems}",
    "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a]}, {parent: $x, digest: $b, size: 1, urls: [b]}]}\n"
    "  - {name: b, version: \"1\", group: os, builds: [{digest: $c, size: 1, urls: [\"https://h.example/c\"]}]}\n"
    "  - {name: c, version: \"1\", group: os, boot: {kernel: {digest: $z, size: 1, urls: [z]}}, builds: [{digest: $d, size: 1, urls: [d]}]}\n"));
  g_autoptr (LmCatalog) kept = lm_portable_keep_available (parse_portable (text), find_some, there, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count_builds (kept, "a"), ==, 1);
  g_assert_cmpuint (count_builds (kept, "b"), ==, 1);
  g_assert_cmpuint (count_builds (kept, "c"), ==, 0);
  g_assert_cmpstr (lm_catalog_get_source (kept), ==, "it");
  g_autoptr (LmGroup) os = lm_catalog_load_group (kept, 0);
  g_assert_cmpstr (os->title, ==, "Systems");
  LmCatalog *same = g_steal_pointer (&kept);
  kept = lm_portable_keep_available (same, find_some, there, &error);
  g_assert_true (kept == same);
}

/* A group that nobody defines must not make the catalog invalid. */
static void
test_unknown_group (void)
{
  g_autoptr (GPtrArray) groups = g_ptr_array_new ();
  g_autoptr (LmCatalog) catalog = parse_expanded (
    LAYERS ("{name: os, required: true}", "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a]}]}\n"));
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  g_ptr_array_add (layers, lm_catalog_load_layer (catalog, 0));
  g_autofree char *text = lm_portable_to_json (NULL, groups, layers);
  g_autoptr (LmCatalog) read = parse_portable (text);
  g_autoptr (LmGroup) os = lm_catalog_load_group (read, 0);
  g_assert_true (os->multiple && !os->required);
  g_assert_null (lm_catalog_get_name (read));
}

static void
test_refused (void)
{
  static const char *const texts[] = {
    "", "x", LAYERS ("{name: os}", "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [\"file:///a\"]}]}\n"),
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = lab_expand (texts[i]);
      g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
      g_assert_null (lm_portable_parse (bytes, "it", &error));
      g_assert_nonnull (error);
      g_assert_true (g_str_has_prefix (error->message, "it:"));
      g_assert_null (strstr (error->message, "invalid/"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/portable/round-trip", test_round_trip);
  g_test_add_func ("/portable/urls", test_urls);
  g_test_add_func ("/portable/merge", test_merge);
  g_test_add_func ("/portable/merge-contents", test_merge_contents);
  g_test_add_func ("/portable/replace", test_replace);
  g_test_add_func ("/portable/available", test_available);
  g_test_add_func ("/portable/unknown-group", test_unknown_group);
  g_test_add_func ("/portable/refused", test_refused);
  return g_test_run ();
}
