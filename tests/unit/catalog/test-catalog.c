/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/yaml.h"
#include "base/hasher.h"
#include "tests/unit/lib/lab.h"
#include "plan/listing.h"

#include <gio/gio.h>
#include <string.h>

#define HEAD "lamina-catalog: 1\ngroups: [{name: os}]\nlayers:\n"
#define BUILD "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a], "
#define LAYER "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a]}]"

static void
assert_contents (const LmCatalog *catalog)
{
  static const struct
  {
    const char *digest;
    const char *packages, *removed; /* NULL if they are not recorded */
    gboolean has_lock;
  } want[] = {
    { "debian12", "libc6=2.36-9+deb12u10 libc6:i386=2.36-9+deb12u10 bash=5.2.15-2+b7 nano=7.2-1", "", FALSE },
    { "debian11", NULL, NULL, FALSE },
    { "nginx", "nginx=1.22.1-9 libc6=2.36-9+deb12u11", "nano libc6:i386", TRUE },
    { "lighttpd12", "", "", FALSE },
    { "lighttpd11", NULL, NULL, FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (want); i++)
    {
      LmDigest digest = lm_digest_of_text (want[i].digest), lock = lm_digest_of_text ("nginx-lock");
      guint number = lm_catalog_find_build (catalog, &digest);
      g_autoptr (LmBuild) build = lm_catalog_load_build (catalog, number);
      g_autoptr (LmBuild) copy = lm_build_dup (build);
      g_autofree char *packages = copy->packages != NULL ? g_strjoinv (" ", copy->packages) : NULL;
      g_autofree char *removed = copy->removed != NULL ? g_strjoinv (" ", copy->removed) : NULL;
      g_assert_cmpstr (packages, ==, want[i].packages);
      g_assert_cmpstr (removed, ==, want[i].removed);
      g_assert_true (copy->has_lock == want[i].has_lock && (!copy->has_lock || lm_digest_equal (&copy->lock, &lock)));
      g_assert_cmpstr (copy->blob.name, ==, lm_catalog_get_layer_name (catalog, lm_catalog_get_build (catalog, number).layer));
    }
}

static void
assert_lab (const LmCatalog *catalog)
{
  g_assert_cmpuint (lm_catalog_get_n_groups (catalog), ==, 4);
  g_assert_cmpuint (lm_catalog_get_n_layers (catalog), ==, 9);
  g_autoptr (LmGroup) os = lm_catalog_load_group (catalog, 0);
  g_assert_cmpstr (os->title, ==, "Operating system");
  g_assert_true (os->required);
  g_assert_false (os->multiple);
  g_autoptr (LmLayer) debian = lm_catalog_load_layer (catalog, 0);
  LmDigest kernel = lm_digest_of_text ("kernel");
  g_assert_cmpstr (debian->source, ==, "lab");
  g_assert_cmpstr (debian->name, ==, "debian");
  g_assert_cmpstr (debian->version, ==, "12.11");
  g_assert_cmpstr (debian->osinfo, ==, "debian12");
  g_assert_cmpstr (debian->ready, ==, "login:");
  g_assert_cmpstr (debian->cmdline, ==, "root=/dev/vda rw console=ttyS0");
  g_assert_cmpuint (debian->memory, ==, 512 << 20);
  g_assert_cmpuint (debian->disk, ==, G_GUINT64_CONSTANT (4) << 30);
  g_assert_true (lm_digest_equal (&debian->kernel->digest, &kernel));
  g_assert_cmpstr (debian->initrd->urls[0], ==, "http://lab.example/c/initrd.img");
  g_assert_cmpuint (debian->builds->len, ==, 1);
  const LmBlob *build = &lm_layer_get_build (debian, 0)->blob;
  g_assert_false (build->has_parent);
  g_assert_cmpuint (build->size, ==, 1000);
  g_assert_cmpstr (build->urls[0], ==, "http://lab.example/c/debian-12.qcow2");
  g_assert_cmpstr (build->urls[1], ==, "https://mirror.example/debian-12.qcow2");
  g_assert_null (build->urls[2]);
  assert_contents (catalog);
  guint second = lm_catalog_find_name_next (catalog, lm_catalog_find_name (catalog, "debian"));
  g_assert_cmpstr (lm_catalog_get_layer_version (catalog, second), ==, "11.9");
  g_assert_cmpuint (lm_catalog_find_name_next (catalog, second), ==, LM_CATALOG_NONE);
  g_assert_cmpuint (lm_catalog_find_name (catalog, "httpd"), ==, LM_CATALOG_NONE);
  g_autoptr (GArray) providers = g_array_new (FALSE, FALSE, sizeof (guint));
  lm_catalog_find_provided (catalog, "httpd", providers);
  g_assert_cmpuint (providers->len, ==, 2);
  LmDigest nginx = lm_digest_of_text ("nginx"), debian12 = lm_digest_of_text ("debian12"), none = lm_digest_of_text ("none");
  LmCatalogBuild found = lm_catalog_get_build (catalog, lm_catalog_find_build (catalog, &nginx));
  g_assert_cmpstr (lm_catalog_get_layer_name (catalog, found.layer), ==, "nginx");
  g_assert_true (lm_digest_equal (found.parent, &debian12));
  g_assert_cmpuint (lm_catalog_find_build (catalog, &none), ==, LM_CATALOG_NONE);
}

static void
test_parse (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmCatalog) catalog = lab_parse (lab_catalog, warnings, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (warnings->len, ==, 0);
  assert_lab (catalog);
}

static void
test_warnings (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmCatalog) catalog = lab_parse ("lamina-catalog: 1\nflavour: {a: [1, {b: 2}]}\nlayers: []\n", warnings, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lm_catalog_get_n_layers (catalog), ==, 0);
  g_assert_cmpuint (warnings->len, ==, 1);
  g_assert_cmpstr (warnings->pdata[0], ==, LAB_URL ":2: unknown key \"flavour\" in a catalog is ignored");
  g_autoptr (GString) many = g_string_new ("lamina-catalog: 1\nlayers: []\ngroups:\n");
  for (guint i = 0; i < 500; i++)
    g_string_append_printf (many, "  - {name: g%u, x: 1}\n", i);
  g_ptr_array_set_size (warnings, 0);
  g_autoptr (LmCatalog) other = lab_parse (many->str, warnings, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lm_catalog_get_n_groups (other), ==, 500);
  g_assert_cmpuint (warnings->len, ==, 101);
  g_assert_cmpstr (warnings->pdata[100], ==, LAB_URL ": further warnings are not shown");
}

static const struct
{
  const char *text, *message;
} faults[] = {
  { "", "1: expected a catalog (a mapping), not a single value" },
  { "layers: []\n", "1: a catalog must have \"lamina-catalog\"" },
  { "lamina-catalog: 1\n", "1: a catalog must have \"layers\"" },
  { "lamina-catalog: 1\nlayers: {}\n", "2: expected a list of layers, not a mapping" },
  { "lamina-catalog: \"1\"\nlayers: []\n", "1: expected a whole number, not a string" },
  { HEAD "  - {name: a}\n", "4: a layer must have \"version\"" },
  { HEAD "  - {name: a, version: 12.10, group: os}\n", "4: expected a string, not a number; put it in quotes" },
  { HEAD "  - {name: A}\n", "4: \"A\" is not a name (lower-case letters, digits and + . _ -, at most 64)" },
  { HEAD "  - {name: ../../etc}\n", "4: \"../../etc\" is not a name (lower-case letters, digits and + . _ -, at most 64)" },
  { HEAD "  - {name: a, name: b}\n", "4: \"name\" is given twice" },
  { HEAD "  - {x: 1, x: 2}\n", "4: \"x\" is given twice" },
  { HEAD "  - {name: a, version: \"1\", group: os, builds: []}\n", "4: at least one build is required" },
  { HEAD "  - {builds: [{digest: sha256-00, size: 1}]}\n",
    "4: \"sha256-00\" is not a digest (expected \"sha256:\" and 64 lower-case hex digits)" },
  { HEAD "  - {builds: [{digest: $a, size: 0}]}\n",
    "4: expected a decimal number of bytes from 1 to 17592186044416" },
  { HEAD "  - {builds: [{digest: $a, size: 99999999999999999999}]}\n",
    "4: expected a decimal number of bytes from 1 to 17592186044416" },
  { HEAD "  - {builds: [{digest: $a, size: 1, urls: []}]}\n", "4: at least one URL is required" },
  { HEAD "  - {builds: [{digest: $a, size: 1, urls: [\"ftp://h/x\"]}]}\n",
    "4: \"ftp://h/x\" is not a usable URL (file, http or https)" },
  { HEAD "  - {builds: [{digest: $a, size: 1, urls: [\"file:///etc/shadow\"]}]}\n",
    "4: \"file:///etc/shadow\" is a local file; a catalog from the network must not refer to one" },
  { HEAD "  - {builds: [{digest: $a, parent: $a, size: 1, urls: [x]}]}\n", "4: a build cannot be its own parent" },
  { HEAD LAYER "}\n" LAYER "}\n", "5: line 4 has the same version of this layer" },
  { HEAD LAYER "}\n  - {name: b, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a]}]}\n",
    "5: line 4 has a build with the same digest" },
  { HEAD "  - {name: a, version: \"1\", group: web, builds: [{digest: $a, size: 1, urls: [a]}]}\n",
    "4: the layer \"a\" belongs to the group \"web\", which is not listed in \"groups\"" },
  { "lamina-catalog: 1\nlayers: []\ngroups: [{name: a}, {name: a}]\n", "3: the group \"a\" is given twice" },
  { HEAD LAYER ", requires: [\"b >> 1\"]}\n",
    "4: \"b >> 1\" is not \"name\" or \"name >= version\" (or < <= = >)" },
  { HEAD LAYER ", provides: [\"b >= 1\"]}\n", "4: \"b >= 1\" is not \"name\" or \"name = version\"" },
  { HEAD LAYER ", resources: {memory: 512}}\n", "4: expected a size with a unit, such as 512MiB,, not a whole number; put it in quotes" },
  { HEAD LAYER ", resources: {memory: \"512\"}}\n", "4: expected a size from 1MiB to 16TiB with a unit" },
  { HEAD LAYER ", summary: \"a\\e[2Jb\"}\n", "4: the control character U+001B is not allowed here" },
  { HEAD LAYER ", summary: \"a\\u0085b\"}\n", "4: the control character U+0085 is not allowed here" },
  { HEAD LAYER ", summary: \"a\\u202eb\"}\n", "4: the control character U+202E is not allowed here" },
  { HEAD LAYER ", summary: \"a\xe2\x80\xae" "b\"}\n", "4: the control character U+202E is not allowed here" },
  { HEAD LAYER ", osinfo: \"a\\u2028b\"}\n", "4: the control character U+2028 is not allowed here" },
  { HEAD LAYER ", ready: \"a\\u2067b\"}\n", "4: the control character U+2067 is not allowed here" },
  { HEAD LAYER ", boot: {cmdline: \"a\\u200eb\"}}\n", "4: the control character U+200E is not allowed here" },
  { HEAD LAYER ", summary: \"a\\ufeffb\"}\n", "4: the control character U+FEFF is not allowed here" },
  { HEAD LAYER ", summary: \"a\\nb\"}\n", "4: this text must be a single line" },
  { HEAD "  - name: a\n    summary: |\n      a\n      b\n", "5: this text must be a single line" },
  { "lamina-catalog: 1\nlayers: []\ngroups: [{name: a, title: \"a\\u202eb\"}]\n", "3: the control character U+202E is not allowed here" },
  { HEAD BUILD "packages: {}}]}\n", "4: expected a list of \"packages\" of a build of \"a\", not a mapping" },
  { HEAD BUILD "packages: [a]}]}\n", "4: \"a\" is not NAME=VERSION or NAME:ARCH=VERSION in \"packages\" of a build of \"a\"" },
  { HEAD BUILD "packages: [b=1, [a]]}]}\n",
    "4: expected NAME=VERSION or NAME:ARCH=VERSION in \"packages\" of a build of \"a\", not a list" },
  { HEAD BUILD "parent: $b, packages: [], removed: [12]}]}\n",
    "4: expected NAME or NAME:ARCH in \"removed\" of a build of \"a\", not a whole number; put it in quotes" },
  { HEAD BUILD "parent: $b, packages: [], removed: [a=1]}]}\n", "4: \"a=1\" is not NAME or NAME:ARCH in \"removed\" of a build of \"a\"" },
  { HEAD BUILD "parent: $b, removed: [a]}]}\n", "4: a build of \"a\" with \"removed\" must have \"parent\" and \"packages\"" },
  { HEAD BUILD "packages: [a=1], removed: [b]}]}\n", "4: a build of \"a\" with \"removed\" must have \"parent\" and \"packages\"" },
  { HEAD "  - {builds: [{packages: [\"a=\\e\"]}]}\n", "4: \"a=\\033\" is not NAME=VERSION or NAME:ARCH=VERSION in \"packages\" of a build" },
  { HEAD BUILD "packages: [], packages: []}]}\n", "4: \"packages\" is given twice" },
  { HEAD BUILD "lock: \"1\"}]}\n", "4: \"1\" is not a digest (expected \"sha256:\" and 64 lower-case hex digits)" },
  { HEAD LAYER ", arch: \"x86-64\"}\n", "4: \"x86-64\" is not an architecture, such as x86_64 or aarch64" },
};

static void
test_faults (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *message = g_strconcat (LAB_URL ":", faults[i].message, NULL);
      g_assert_null (lab_parse (faults[i].text, NULL, &error));
      g_assert_error (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID);
      g_assert_cmpstr (error->message, ==, message);
    }
}

/* Line ends that YAML's notations for long texts add are not part of the value. */
static void
test_long_texts (void)
{
  static const char *const values[] = { ">\n      A small\n      system\n", "|\n      A small system\n", ">+\n      A small system\n\n",
                                        ">-\n      A small system\n", "A small\n      system\n" };
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strconcat (HEAD "  - name: a\n    version: \"1\"\n    group: os\n    builds: [{digest: $a, size: 1, urls: [a]}]\n"
                                           "    summary: ", values[i], NULL);
      g_autoptr (LmCatalog) catalog = lab_parse (text, NULL, &error);
      g_assert_no_error (error);
      g_autoptr (LmLayer) layer = lm_catalog_load_layer (catalog, 0);
      g_assert_cmpstr (layer->summary, ==, "A small system");
    }
}

static void
test_other_faults (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (lab_parse ("lamina-catalog: 2\nlayers: []\n", NULL, &error));
  g_assert_error (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (lab_parse ("lamina-catalog: [\n", NULL, &error));
  g_assert_error (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (lab_parse ("layers: [\n", NULL, &error));
  g_assert_error (error, LM_YAML_ERROR, LM_YAML_ERROR_SYNTAX);
  g_clear_error (&error);
  g_assert_null (lm_catalog_parse ("x", NULL, "file:///srv/c.yaml", "a", 1, NULL, &error));
  g_assert_true (g_str_has_prefix (error->message, "/srv/c.yaml:1: "));
}

static void
test_serialize (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCatalog) catalog = lab_parse (lab_catalog, NULL, NULL);
  g_autoptr (GBytes) serialized = lm_catalog_serialize (catalog, "stamp 1");
  g_autoptr (LmCatalog) loaded = lm_catalog_load (serialized, "lab", NULL, LAB_URL, "stamp 1", &error);
  g_assert_no_error (error);
  assert_lab (loaded);
  g_assert_null (lm_catalog_load (serialized, "lab", NULL, LAB_URL, "stamp 2", &error));
  g_assert_error (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_STALE);
  g_clear_error (&error);
  g_assert_null (lm_catalog_load (serialized, "lab", NULL, "http://else/", "stamp 1", &error));
  g_assert_error (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_STALE);
  g_autoptr (GBytes) again = lm_catalog_serialize (loaded, "s");
  g_autoptr (LmCatalog) twice = lm_catalog_load (again, "lab", NULL, LAB_URL, "s", NULL);
  assert_lab (twice);
  /* a block that is not aligned, such as part of a larger file */
  g_autofree char *moved = g_malloc (g_bytes_get_size (again) + 1);
  memcpy (moved + 1, g_bytes_get_data (again, NULL), g_bytes_get_size (again));
  g_autoptr (GBytes) odd = g_bytes_new_static (moved + 1, g_bytes_get_size (again));
  g_autoptr (LmCatalog) third = lm_catalog_load (odd, "lab", NULL, LAB_URL, "s", NULL);
  assert_lab (third);
}

/* Relative URLs in a redirected catalog: relative to the requested URL first, then
 * relative to the URL after the redirect; each host has its own credentials. */
static void
test_redirected (void)
{
  static const char asked[] = "http://me:pw@one.example/latest/c.yaml?t=1", base[] = "http://two.example/v2/c.yaml";
  static const char *const want[] = { "http://me:pw@one.example/latest/a", "http://two.example/v2/a",
                                      "http://me:pw@one.example/b%20c",    "http://two.example/b%20c",
                                      "http://me:pw@one.example/d",        "http://two.example/e",
                                      "http://me:pw@one.example/f",        NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *text = lab_expand (HEAD "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a, ../b%20c,"
                                           " \"http://one.example/d\", \"http://two.example/e\", \"//one.example/f\"]}]}\n");
  LmCatalog *read = lm_catalog_parse ("lab", asked, base, text, strlen (text), NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GBytes) index = lm_catalog_serialize (read, "s");
  g_autoptr (LmCatalog) loaded = lm_catalog_load (index, "lab", asked, base, "s", &error);
  g_assert_no_error (error);
  g_auto (GStrv) urls = lm_catalog_get_build_urls (read, 0);
  g_auto (GStrv) loaded_urls = lm_catalog_get_build_urls (loaded, 0);
  lm_catalog_free (read);
  g_assert_cmpstrv (urls, want);
  g_assert_cmpstrv (loaded_urls, want);
  g_assert_null (lm_catalog_load (index, "lab", NULL, base, "s", &error));
  g_assert_error (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_STALE);
  g_clear_error (&error);
  g_assert_null (lm_catalog_load (index, "lab", "http://one.example/c.yaml", base, "s", &error));
  g_assert_error (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_STALE);
  g_clear_error (&error);

  /* If both have the same directory, there is one mirror. */
  g_autofree char *plain = lab_expand (HEAD "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a, ../b]}]}\n");
  g_autoptr (LmCatalog) same = lm_catalog_parse ("lab", "http://h/x/c.yaml", "http://h/x/d.yaml", plain, strlen (plain), NULL, &error);
  g_assert_no_error (error);
  g_auto (GStrv) same_urls = lm_catalog_get_build_urls (same, 0);
  g_assert_cmpstrv (same_urls, ((const char *const[]){ "http://h/x/a", "http://h/b", NULL }));
}

/* A change of any byte of the index is noticed. */
static void
test_load_corrupt (void)
{
  g_autoptr (LmCatalog) catalog = lab_parse (lab_catalog, NULL, NULL);
  g_autoptr (GBytes) serialized = lm_catalog_serialize (catalog, "s");
  gsize size;
  const guint8 *data = g_bytes_get_data (serialized, &size);
  g_autofree guint8 *copy = g_memdup2 (data, size);
  for (gsize i = 0; i < size; i++)
    {
      g_autoptr (GError) error = NULL;
      copy[i] ^= 0x40;
      g_autoptr (GBytes) bytes = g_bytes_new_static (copy, size);
      g_assert_null (lm_catalog_load (bytes, "lab", NULL, LAB_URL, "s", &error));
      g_assert_error (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_CORRUPT);
      copy[i] ^= 0x40;
    }
  for (gsize i = 0; i < size; i += i < 600 ? 1 : 37)
    {
      g_autoptr (GBytes) bytes = g_bytes_new_static (data, i);
      g_assert_null (lm_catalog_load (bytes, "lab", NULL, LAB_URL, "s", NULL));
    }
}

/* Even an index with the right digest cannot lead to accesses out of bounds. */
static void
test_load_forged (void)
{
  g_autoptr (LmCatalog) catalog = lab_parse (lab_catalog, NULL, NULL);
  g_autoptr (GBytes) serialized = lm_catalog_serialize (catalog, "s");
  gsize size, skip = 24 + LM_DIGEST_SIZE;
  const guint8 *data = g_bytes_get_data (serialized, &size);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  for (guint i = 0; i < 3000; i++)
    {
      g_autofree guint8 *copy = g_memdup2 (data, size);
      gsize at = (gsize) g_rand_int_range (rand, (int) skip, (int) size) & ~(gsize) 3;
      guint32 value = i % 2 ? g_rand_int (rand) : (guint32) g_rand_int_range (rand, 0, 64);
      memcpy (copy + MIN (at, size - 4), &value, 4);
      g_autoptr (LmHasher) hasher = lm_hasher_new ();
      LmDigest digest;
      lm_hasher_update (hasher, copy + skip, size - skip);
      lm_hasher_peek (hasher, &digest);
      memcpy (copy + skip - LM_DIGEST_SIZE, &digest, sizeof digest);
      g_autoptr (GBytes) bytes = g_bytes_new_static (copy, size);
      LmCatalog *loaded = lm_catalog_load (bytes, "lab", NULL, LAB_URL, "s", NULL);
      if (loaded == NULL)
        continue;
      g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
      lm_catalog_set_add (set, loaded, 0);
      static const char *const none[] = { NULL };
      LmPlanView view = lab_view (none);
      g_ptr_array_unref (lm_catalog_set_load_layers (set));
      lm_plan_free (lm_plan_new (set, (const char *const[]){ "mariadb", "nginx", NULL }, NULL, &view, NULL));
    }
}

static LmCatalog *
parse_as (const char *source, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *expanded = lab_expand (text);
  g_autofree char *url = g_strdup_printf ("http://%s.example/c.yaml", source);
  LmCatalog *catalog = lm_catalog_parse (source, NULL, url, expanded, strlen (expanded), NULL, &error);
  g_assert_no_error (error);
  return catalog;
}

static void
test_set (void)
{
  static const char text[] = HEAD "  - {name: a, version: \"%s\", group: os, builds: [{digest: $a, size: 1, urls: [%s]}]}\n";
  g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
  g_autofree char *low = g_strdup_printf (text, "2", "low");
  g_autofree char *high = g_strdup_printf (text, "1", "high");
  g_autofree char *same = g_strdup_printf (text, "3", "same");
  lm_catalog_set_add (set, parse_as ("low", low), 1);
  lm_catalog_set_add (set, parse_as ("high", high), 9);
  lm_catalog_set_add (set, parse_as ("same", same), 9);
  g_autoptr (GPtrArray) layers = lm_catalog_set_load_layers (set);
  g_assert_cmpuint (layers->len, ==, 2);
  const LmLayer *newest = layers->pdata[0], *second = layers->pdata[1];
  g_assert_cmpstr (newest->version, ==, "3");
  g_assert_cmpstr (second->source, ==, "high");
  const LmBlob *build = &lm_layer_get_build (newest, 0)->blob;
  g_assert_cmpstr (build->urls[0], ==, "http://same.example/same");
  g_assert_cmpstr (build->urls[1], ==, "http://high.example/high");
  g_assert_cmpstr (build->urls[2], ==, "http://low.example/low");
  g_assert_null (build->urls[3]);
  /* For a file of which only the digest is known. */
  LmBlob known = { .kind = LM_BLOB_LAYER, .digest = build->digest, .urls = g_strsplit ("http://high.example/high", " ", -1) };
  lm_catalog_set_add_urls (set, &known);
  g_autofree char *urls = g_strjoinv (" ", known.urls);
  g_assert_cmpstr (urls, ==, "http://high.example/high http://same.example/same http://low.example/low");
  known.digest.bytes[0] ^= 1;
  g_strfreev (known.urls);
  known.urls = NULL;
  lm_catalog_set_add_urls (set, &known);
  g_assert_cmpuint (g_strv_length (known.urls), ==, 0);
  g_strfreev (known.urls);
  g_autoptr (GPtrArray) groups = lm_catalog_set_load_groups (set);
  g_assert_cmpuint (groups->len, ==, 1);
}

static void
test_suggest (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  static const char *const cases[][2] = {
    { "ngnix", "nginx" }, { "nginx-light", "nginx" }, { "debain", "debian" },
    { "zzzzzz", NULL },   { "maria", "mariadb" },     { "x", NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *near = lm_catalog_set_suggest (set, cases[i][0]);
      g_assert_cmpstr (near, ==, cases[i][1]);
    }
}

static void
test_listing (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  static const char *const names[] = { "nginx", "debian12", "lighttpd12", "mariadb-nginx", NULL };
  static const char *const orphan[] = { "nginx", NULL };
  LmPlanView view = lab_view (names), without_base = lab_view (orphan);
  g_autoptr (LmFacts) facts = lm_facts_new (set, &view);
  g_autoptr (LmFacts) orphan_facts = lm_facts_new (set, &without_base);
  g_autoptr (GPtrArray) layers = lm_catalog_set_load_layers (set);
  g_assert_cmpuint (layers->len, ==, 9);
  g_assert_cmpstr (((LmLayer *) layers->pdata[0])->name, ==, "alpine");
  g_assert_cmpstr (((LmLayer *) layers->pdata[1])->version, ==, "12.11");
  const LmLayer *nginx = layers->pdata[4];
  g_assert_cmpstr (nginx->name, ==, "nginx");
  g_assert_true (lm_listing_is_cached (facts, nginx));
  g_assert_false (lm_listing_is_cached (orphan_facts, nginx));
  g_assert_false (lm_listing_is_cached (facts, layers->pdata[0]));
  g_autoptr (GError) error = NULL;
  g_autofree char *json = lm_listing_to_json (set, &view, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (json, "\"name\" : \"nginx\""));
  g_autofree char *bare = lm_listing_to_json (set, NULL, NULL, NULL);
  g_assert_null (strstr (bare, "\"cached\" : true"));

  /* If a lookup fails, there is no result. */
  static const char *const unknown[] = { "nginx", "!debian12", NULL };
  LmPlanView failing = lab_view (unknown);
  g_autoptr (LmFacts) no_facts = lm_facts_new (set, &failing);
  g_assert_true (lm_facts_check (no_facts, NULL));
  g_assert_false (lm_listing_is_cached (no_facts, nginx));
  g_assert_false (lm_facts_check (no_facts, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_null (lm_listing_to_json (set, &failing, NULL, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/catalog/parse", test_parse);
  g_test_add_func ("/catalog/warnings", test_warnings);
  g_test_add_func ("/catalog/faults", test_faults);
  g_test_add_func ("/catalog/long-texts", test_long_texts);
  g_test_add_func ("/catalog/other-faults", test_other_faults);
  g_test_add_func ("/catalog/serialize", test_serialize);
  g_test_add_func ("/catalog/redirected", test_redirected);
  g_test_add_func ("/catalog/load-corrupt", test_load_corrupt);
  g_test_add_func ("/catalog/load-forged", test_load_forged);
  g_test_add_func ("/catalog/set", test_set);
  g_test_add_func ("/catalog/suggest", test_suggest);
  g_test_add_func ("/catalog/listing", test_listing);
  return g_test_run ();
}
