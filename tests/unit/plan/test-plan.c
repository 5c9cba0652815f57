/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/lab.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static const char *const nothing[] = { NULL };

static LmPlan *
plan (const LmCatalogSet *set, const char *selections, const char *const *cached, GError **error)
{
  g_auto (GStrv) words = g_strsplit (selections, " ", -1);
  LmPlanView view = lab_view (cached);
  LmPlanOptions options = { .arch = "x86_64" };
  return lm_plan_new (set, (const char *const *) words, &options, &view, error);
}

/* "debian12 nginx*", where * means cached; names are those from which lab digests are derived */
static void
assert_chain (const LmCatalogSet *set, const char *selections, const char *const *cached, const char *const *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmPlan) p = plan (set, selections, cached, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (p->layers->len, ==, g_strv_length ((char **) expected));
  for (guint i = 0; i < p->layers->len; i++)
    {
      const LmPlanItem *item = p->layers->pdata[i];
      LmDigest digest = lm_digest_of_text (expected[i]);
      g_test_message ("%s %s", item->blob.name, item->version);
      g_assert_true (lm_digest_equal (&digest, &item->blob.digest));
      g_assert_cmpint (item->blob.has_parent, ==, i > 0);
      if (i > 0)
        g_assert_true (lm_digest_equal (&item->blob.parent, &((LmPlanItem *) p->layers->pdata[i - 1])->blob.digest));
      g_assert_cmpint (item->action, ==, g_strv_contains (cached, expected[i]) ? LM_PLAN_CACHED : LM_PLAN_PULL);
    }
}

#define CHAIN(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
assert_no_build (const LmCatalogSet *set, const char *selections, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (plan (set, selections, nothing, &error));
  g_assert_error (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_NO_BUILD);
  g_assert_cmpstr (error->message, ==, message);
}

/* The error has the limit; a chain of that length is possible. */
static void
test_long_chain (void)
{
  g_autoptr (GString) text = g_string_new ("lamina-catalog: 1\nname: lab\ngroups: [{name: g, multiple: true}]\nlayers:\n");
  for (guint i = 1; i <= 66; i++)
    {
      g_string_append_printf (text, "  - name: l%u\n    version: \"1\"\n    group: g\n", i);
      if (i > 1)
        g_string_append_printf (text, "    requires: [l%u]\n", i - 1);
      g_string_append (text, "    builds: [{");
      if (i > 1)
        g_string_append_printf (text, "parent: $l%u, ", i - 1);
      g_string_append_printf (text, "digest: $l%u, size: 1, urls: [x]}]\n", i);
    }
  g_autoptr (LmCatalogSet) set = lab_set (text->str);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmPlan) p = plan (set, "l64", nothing, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (p->layers->len, ==, 64);
  assert_no_build (set, "l65", "the chain of l65 1 has more than 64 layers, which is the maximum");
  assert_no_build (set, "l66", "the chain of l65 1 has more than 64 layers, which is the maximum");
}

static void
test_chains (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  assert_chain (set, "debian", nothing, CHAIN ("debian12"));
  assert_chain (set, "web=nginx", nothing, CHAIN ("debian12", "nginx"));
  assert_chain (set, "nginx debian", CHAIN ("debian12"), CHAIN ("debian12", "nginx"));
  assert_chain (set, "lighttpd debian@11.9", nothing, CHAIN ("debian11", "lighttpd11"));
  /* cheaper, but not the newest */
  assert_chain (set, "lighttpd", CHAIN ("debian11", "lighttpd11"), CHAIN ("debian12", "lighttpd12"));
  assert_chain (set, "mariadb nginx", nothing, CHAIN ("debian12", "nginx", "mariadb-nginx"));
  assert_chain (set, "vim nginx", nothing, CHAIN ("debian12", "nginx", "vim-nginx"));
  assert_chain (set, "vim", nothing, CHAIN ("debian12", "vim"));
}

static void
test_no_build (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  /* nginx is in the only chain but is not required, so it is not included */
  assert_no_build (set, "mariadb",
                   "no chain of builds combines debian 12.11 + mariadb 10.11: there is no build of mariadb 10.11 on debian 12.11; "
                   "mariadb 10.11 is built only on debian 12.11 + nginx 1.22.1; add web=nginx");
  assert_no_build (set, "mariadb lighttpd",
                   "no chain of builds combines debian 12.11 + lighttpd 1.4.69 + mariadb 10.11: there is no build of mariadb 10.11 "
                   "on debian 12.11 + lighttpd 1.4.69; mariadb 10.11 is built only on debian 12.11 + nginx 1.22.1");
}

#define HEAD "lamina-catalog: 1\ngroups: [{name: os, required: true}, {name: g, multiple: true}]\nlayers:\n"
#define OS(version, digest) "  - {name: os, version: \"" version "\", group: os, builds: [{digest: $" digest ", size: 100, urls: [x]}]}\n"
#define ON(parent, digest, size) "{parent: $" parent ", digest: $" digest ", size: " size ", urls: [x]}"
#define LAYER(name, more, builds) "  - {name: " name ", version: \"1\", group: g, " more "builds: [" builds "]}\n"

/* The cheapest, given what is cached; then the canonical order. */
static void
test_cheapest (void)
{
  g_autoptr (LmCatalogSet) set
    = lab_set (HEAD OS ("1", "os") LAYER ("a", "", ON ("os", "a", "10") "," ON ("b", "ab", "10"))
                 LAYER ("b", "", ON ("os", "b", "10") "," ON ("a", "ba", "10"))
                   LAYER ("c", "", ON ("ba", "c1", "10") "," ON ("ab", "c2", "10")));
  assert_chain (set, "os a b", nothing, CHAIN ("os", "a", "ba"));
  assert_chain (set, "os b a", nothing, CHAIN ("os", "a", "ba"));
  assert_chain (set, "os a b", CHAIN ("b"), CHAIN ("os", "b", "ab"));
  assert_chain (set, "os a b", CHAIN ("os", "a", "b"), CHAIN ("os", "a", "ba"));
  assert_chain (set, "os a b c", CHAIN ("os", "c2", "ab"), CHAIN ("os", "b", "ab", "c2"));
}

/* A layer is never below one that it requires. */
static void
test_order (void)
{
  g_autoptr (LmCatalogSet) set
    = lab_set (HEAD OS ("1", "os") LAYER ("a", "requires: [b], ", ON ("os", "a", "1") "," ON ("b", "ab", "90"))
                 LAYER ("b", "", ON ("a", "ba", "1") "," ON ("os", "b", "90")));
  assert_chain (set, "os a", nothing, CHAIN ("os", "b", "ab"));
  assert_chain (set, "os a b", nothing, CHAIN ("os", "b", "ab"));
}

/* A chain contains no layer that is neither selected nor required. */
static void
test_not_required (void)
{
  /* b is a candidate, because an older a requires it */
  g_autoptr (LmCatalogSet) set
    = lab_set (HEAD OS ("1", "os") LAYER ("b", "", ON ("os", "b", "1"))
                 LAYER ("a", "requires: [b], ", ON ("os", "a1", "1"))
                   "  - {name: a, version: \"2\", group: g, builds: [" ON ("b", "a2", "1") "]}\n");
  assert_no_build (set, "os a",
                   "no chain of builds combines os 1 + a 2: there is no build of a 2 on os 1; a 2 is built only on os 1 + b 1; add g=b");
  assert_chain (set, "os a b", nothing, CHAIN ("os", "b", "a2"));
  /* of two layers that meet the requirement, one is too many */
  g_autoptr (LmCatalogSet) two
    = lab_set (HEAD OS ("1", "os") LAYER ("x", "provides: [v], ", ON ("os", "x", "1"))
                 LAYER ("y", "provides: [v], ", ON ("x", "y", "1")) LAYER ("a", "requires: [v], ", ON ("y", "a", "1")));
  g_autoptr (GError) error = NULL;
  g_assert_null (plan (two, "os a", nothing, &error));
  g_assert_error (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_NO_BUILD);
  assert_chain (two, "os a x y", nothing, CHAIN ("os", "x", "y", "a"));
}

/* The newest versions that were built together, if the newest of each were not. */
static void
test_older (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCatalogSet) set
    = lab_set (HEAD OS ("12.1", "os1") OS ("12.2", "os2") OS ("12.3", "os3")
                 LAYER ("a", "requires: [\"os >= 12.2\"], ", ON ("os1", "a1", "1") "," ON ("os2", "a2", "1")));
  assert_chain (set, "a", nothing, CHAIN ("os2", "a2"));
  assert_chain (set, "a os", nothing, CHAIN ("os2", "a2"));
  g_autoptr (LmPlan) p = plan (set, "a os", nothing, &error);
  g_assert_cmpstr (p->selections[1], ==, "os=os@12.2");
  g_assert_cmpstr (p->notes[0], ==, "os 12.2 is used because no builds combine the selection with 12.3");
  g_assert_null (p->notes[1]);
  assert_no_build (set, "a os@12.3",
                   "no chain of builds combines os 12.3 + a 1: there is no build of a 1 on os 12.3; a 1 is built only on os 12.1, or on "
                   "os 12.2");
}

/* If the newest were not built together: a pre-release only if there is nothing else. */
static void
test_older_prerelease (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (HEAD OS ("12.1", "os1") OS ("12.3rc1", "os2") OS ("12.4", "os3")
                                            LAYER ("a", "", ON ("os1", "a1", "1") "," ON ("os2", "a2", "1")) LAYER ("b", "", ON ("os2", "b2", "1")));
  assert_chain (set, "a os", nothing, CHAIN ("os1", "a1"));
  assert_chain (set, "a os@12.3rc1", nothing, CHAIN ("os2", "a2"));
  assert_chain (set, "b os", nothing, CHAIN ("os2", "b2"));
}

static void
test_lost_parent (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (HEAD OS ("1", "os") LAYER ("a", "", ON ("gone", "a", "1")));
  assert_no_build (set, "os a",
                   "no chain of builds combines os 1 + a 1: there is no build of a 1 on os 1; a 1 is built only on a layer that no "
                   "catalog has");
}

/* A digest determines the layers below, so a correct catalog cannot contain a circle. */
static void
test_circle (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (HEAD OS ("1", "os") LAYER ("a", "", ON ("b", "a", "1")) LAYER ("b", "", ON ("a", "b", "1")));
  g_autoptr (GError) error = NULL;
  g_assert_null (plan (set, "os a b", nothing, &error));
  g_assert_error (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_NO_BUILD);
}

static void
test_depth (void)
{
  g_autoptr (GString) text = g_string_new (HEAD OS ("1", "n0"));
  g_autoptr (GString) fits = g_string_new ("os");
  for (guint i = 1; i < 70; i++)
    {
      g_string_append_printf (text, LAYER ("n%u", "", ON ("n%u", "n%u", "1")), i, i - 1, i);
      if (i < 64)
        g_string_append_printf (fits, " n%u", i);
    }
  g_autoptr (LmCatalogSet) set = lab_set (text->str);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmPlan) p = plan (set, fits->str, nothing, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (p->layers->len, ==, 64);
  g_assert_null (plan (set, "os n65", nothing, &error));
  g_assert_error (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_NO_BUILD);
}

/* A layer hidden by a catalog of higher priority is in no chain. */
static void
test_shadow (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  LmCatalog *own = lab_parse (HEAD "  - {name: debian, version: \"12.99\", group: os, builds: [{digest: $own, size: 1, urls: [x]}]}\n", NULL, NULL);
  lm_catalog_set_add (set, own, 10);
  assert_chain (set, "debian", nothing, CHAIN ("own"));
  g_autoptr (GError) error = NULL;
  g_assert_null (plan (set, "nginx", nothing, &error));
  g_assert_error (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_NO_BUILD);
}

/* The same base, which two vendors list under different names. */
static void
test_same_file (void)
{
#define BASE(name) "  - {name: " name ", version: \"1\", group: os, builds: [{digest: $shared, size: 10, urls: [x]}]}\n"
#define NGINX LAYER ("nginx", "requires: [base], ", ON ("shared", "nginx1", "5"))
  for (int priority = -1; priority <= 1; priority++)
    {
      g_autoptr (LmCatalogSet) set = lab_set (HEAD BASE ("base") NGINX);
      lm_catalog_set_add (set, lab_parse (HEAD BASE ("image"), NULL, NULL), priority);
      assert_chain (set, "nginx", nothing, CHAIN ("shared", "nginx1"));
      assert_chain (set, "image", nothing, CHAIN ("shared"));
    }
  /* a parent that is not in the child's catalog is searched in the others, among
   * the layers that can be in the chain */
  g_autoptr (LmCatalogSet) three = lab_set (HEAD BASE ("image"));
  lm_catalog_set_add (three, lab_parse (HEAD NGINX, NULL, NULL), -1);
  lm_catalog_set_add (three, lab_parse (HEAD BASE ("base"), NULL, NULL), -2);
  assert_chain (three, "nginx", nothing, CHAIN ("shared", "nginx1"));
}

/* Another catalog that has the same files is a mirror, also for the kernel. */
static void
test_mirrors (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  g_autofree char *text = lab_expand (lab_catalog);
  g_autoptr (GError) error = NULL;
  LmCatalog *catalog = lm_catalog_parse ("mirror", NULL, "http://mirror.example/lab.yaml", text, strlen (text), NULL, &error);
  g_assert_no_error (error);
  lm_catalog_set_add (set, catalog, -1);
  g_autoptr (LmPlan) p = plan (set, "debian", nothing, &error);
  g_assert_no_error (error);
  GPtrArray *const lists[] = { p->layers, p->blobs };
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    for (guint j = 0; j < lists[i]->len; j++)
      {
        const LmPlanItem *item = lists[i]->pdata[j];
        const char *last = item->blob.urls[g_strv_length (item->blob.urls) - 1];
        g_assert_true (g_str_has_prefix (item->blob.urls[0], "http://lab.example/"));
        g_assert_true (g_str_has_prefix (last, "http://mirror.example/"));
      }
  g_assert_cmpuint (p->blobs->len, ==, 2);
}

/* A required group of a catalog applies only to layers of that catalog. */
static void
test_foreign_group (void)
{
  const char *foreign = "lamina-catalog: 1\nname: other\ngroups: [{name: platform, required: true}, {name: extra}]\nlayers:\n"
                        "  - {name: bsp, version: \"1\", group: platform, builds: [{digest: $bsp, size: 1, urls: [x]}]}\n"
                        "  - {name: lone, version: \"1\", group: extra, builds: [{digest: $lone, size: 1, urls: [x]}]}\n";
  for (int priority = -1; priority <= 1; priority++)
    {
      g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
      g_autoptr (GError) error = NULL;
      lm_catalog_set_add (set, lab_parse (foreign, NULL, NULL), priority);
      assert_chain (set, "nginx", nothing, CHAIN ("debian12", "nginx"));
      assert_chain (set, "bsp", nothing, CHAIN ("bsp"));
      g_assert_null (plan (set, "lone", nothing, &error));
      g_assert_error (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_GROUP);
    }
}

/* If a lookup fails, there is no plan: neither one that pulls nor one without the
 * layer, and no other error. */
static void
test_lookup_error (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  static const char *const failing[] = { "!debian12", "!nginx", "!kernel", "!initrd" };
  for (guint i = 0; i < G_N_ELEMENTS (failing); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (plan (set, "nginx", CHAIN ("debian11", failing[i]), &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      g_assert_nonnull (strstr (error->message, failing[i] + 1));
    }
  g_autoptr (GError) error = NULL;
  g_assert_null (plan (set, "lighttpd mariadb", CHAIN ("!debian12"), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  assert_chain (set, "debian@11.9", CHAIN ("!debian12"), CHAIN ("debian11"));
}

/* ---- what nobody has built ---- */

static gboolean
find_recipe (gpointer names, const char *name, LmPlanRecipe *out_recipe)
{
  if (!g_strv_contains (names, name))
    return FALSE;
  *out_recipe = (LmPlanRecipe){ "/recipe", g_str_has_prefix (name, "os") };
  return TRUE;
}

static LmPlan *
plan_to_build (const LmCatalogSet *set, const char *selections, const char *const *cached, const char *const *recipes, GError **error)
{
  g_auto (GStrv) words = g_strsplit (selections, " ", -1);
  LmPlanView view = lab_view (cached);
  LmPlanOptions options = { "x86_64", find_recipe, (gpointer) recipes };
  return lm_plan_new (set, (const char *const *) words, &options, &view, error);
}

/* Of the chain "os a c!", the layer c is to be built. */
static void
assert_to_build (const LmCatalogSet *set, const char *selections, const char *const *cached, const char *const *recipes,
                 const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmPlan) p = plan_to_build (set, selections, cached, recipes, &error);
  g_assert_no_error (error);
  g_autoptr (GString) text = g_string_new (NULL);
  guint n = 0;
  for (guint i = 0; i < p->layers->len; i++)
    {
      const LmPlanItem *item = p->layers->pdata[i];
      gboolean build = item->action == LM_PLAN_BUILD;
      g_string_append_printf (text, "%s%s%s", i ? " " : "", item->blob.name, build ? "!" : "");
      g_assert_cmpstr (item->recipe, ==, build ? "/recipe" : NULL);
      n += build;
    }
  g_assert_cmpstr (text->str, ==, expected);
  g_assert_cmpuint (p->n_to_build, ==, n);
}

static LmCatalog *
unbuilt (const char *name, const char *requires)
{
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  g_autoptr (GPtrArray) groups = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_group_free);
  g_autoptr (GError) error = NULL;
  LmLayer *layer = g_new0 (LmLayer, 1);
  LmGroup *group = g_new0 (LmGroup, 1);
  layer->name = g_strdup (name);
  layer->version = g_strdup ("0");
  layer->group = g_strdup (requires != NULL ? "g" : "os");
  layer->requires = g_strsplit (requires != NULL ? requires : "", ",", -1);
  layer->builds = g_ptr_array_new ();
  group->name = g_strdup (layer->group);
  g_ptr_array_add (layers, layer);
  g_ptr_array_add (groups, group);
  LmCatalog *catalog = lm_catalog_new_unbuilt ("recipes", groups, layers, &error);
  g_assert_no_error (error);
  return catalog;
}

static void
test_to_build (void)
{
  g_autoptr (LmCatalogSet) set
    = lab_set (HEAD OS ("1", "os") OS ("2", "os2") LAYER ("a", "requires: [os], ", ON ("os", "a", "10") "," ON ("os2", "a2", "10"))
                 LAYER ("b", "requires: [os], ", ON ("a2", "b", "10") "," ON ("os", "bo", "10"))
                   LAYER ("old", "requires: [\"os = 1\"], ", ON ("os", "old", "10")));
  lm_catalog_set_add (set, unbuilt ("c", "os"), -1);
  lm_catalog_set_add (set, unbuilt ("d", "c"), -1);
  lm_catalog_set_add (set, unbuilt ("oslo", NULL), -1);
  lm_catalog_set_add (set, unbuilt ("e", "oslo"), -1);
  /* a ready chain is never built, even if it is not of the newest version */
  assert_to_build (set, "a", nothing, CHAIN ("a", "c", "os"), "os a");
  assert_to_build (set, "old", nothing, CHAIN ("old", "os"), "os old");
  /* the nearest ready chain, of the newest version */
  assert_to_build (set, "c", nothing, CHAIN ("c"), "os c!");
  assert_to_build (set, "a c", nothing, CHAIN ("a", "c"), "os a c!");
  assert_to_build (set, "a b c", nothing, CHAIN ("a", "b", "c"), "os a b c!");
  assert_to_build (set, "b c", nothing, CHAIN ("b", "c"), "os b! c!");
  assert_to_build (set, "d a", nothing, CHAIN ("a", "b", "c", "d"), "os a c! d!");
  /* a version that meets the selections, if the newest cannot be built on */
  assert_to_build (set, "b c", nothing, CHAIN ("c"), "os b c!");
  /* all of it; a base is built on nothing, and nothing but a base is */
  assert_to_build (set, "e", nothing, CHAIN ("oslo", "e"), "oslo! e!");
}

static void
test_not_to_build (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (HEAD OS ("1", "os") LAYER ("a", "requires: [os], ", ON ("gone", "a", "10")));
  g_autoptr (GError) error = NULL;
  lm_catalog_set_add (set, unbuilt ("c", "a"), -1);
  g_assert_null (plan_to_build (set, "c", nothing, CHAIN ("c", "os"), &error));
  g_assert_error (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_NO_BUILD);
  g_assert_cmpstr (error->message, ==, "no chain of builds combines os 1 + a 1 + c, nor can one be built, because there is no recipe of a");
  g_clear_error (&error);
  g_assert_null (plan_to_build (set, "c@2", nothing, CHAIN ("a", "c"), &error));
  g_assert_cmpstr (error->message, ==,
                   "nobody has built c yet, and its recipe does not say that it makes the version 2; leave the version out");
  g_clear_error (&error);
  g_assert_null (plan_to_build (set, "c", CHAIN ("!os"), CHAIN ("a", "c"), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

/* What is no base does not become one, and a base is built on nothing. */
static void
test_to_build_base (void)
{
  g_autoptr (LmCatalogSet) set = lab_set ("lamina-catalog: 1\ngroups: [{name: g, multiple: true}]\nlayers:\n"
                                            LAYER ("a", "", ON ("gone", "a", "10")) LAYER ("b", "", "{digest: $b, size: 10, urls: [x]}"));
  g_autoptr (GError) error = NULL;
  g_assert_null (plan_to_build (set, "a", nothing, CHAIN ("a"), &error));
  g_assert_error (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_NO_BUILD);
  g_assert_cmpstr (error->message, ==, "no chain of builds combines a 1, and the recipes cannot be built on each other");
  g_clear_error (&error);
  assert_to_build (set, "a b", nothing, CHAIN ("a"), "b a!");
  lm_catalog_set_add (set, unbuilt ("oslo", NULL), -1);
  g_assert_null (plan_to_build (set, "b oslo", nothing, CHAIN ("oslo"), &error));
  g_assert_error (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_NO_BUILD);
}

/* Of what is to be built, the plan says nothing that it does not know. */
static void
test_to_build_json (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (HEAD OS ("1", "os"));
  lm_catalog_set_add (set, unbuilt ("c", "os"), -1);
  g_autoptr (LmPlan) p = plan_to_build (set, "c", nothing, CHAIN ("c"), NULL);
  g_assert_cmpstr (p->selections[0], ==, "g=c");
  g_autofree char *text = lm_plan_to_json (p);
  g_assert_nonnull (strstr (text, "\"to_build\" : 1"));
  g_assert_nonnull (strstr (text, "\"version\" : null"));
  g_assert_nonnull (strstr (text, "\"recipe\" : \"/recipe\""));
  g_assert_nonnull (strstr (text, "\"estimate\" : null"));
  ((LmPlanItem *) p->layers->pdata[1])->estimate = (LmPlanEstimate){ TRUE, 3, 4000 };
  g_autofree char *known = lm_plan_to_json (p);
  g_assert_nonnull (strstr (known, "\"bytes_to_fetch\" : 4000"));
}

static void
test_machine (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmPlan) p = plan (set, "nginx", CHAIN ("debian12", "initrd"), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (p->arch, ==, "x86_64");
  g_assert_cmpstr (p->osinfo, ==, "debian12");
  g_assert_cmpstr (p->ready, ==, "nginx up");
  g_assert_cmpstr (p->cmdline, ==, "root=/dev/vda rw console=ttyS0");
  g_assert_cmpuint (p->memory, ==, 512 << 20);
  g_assert_cmpuint (p->disk, ==, G_GUINT64_CONSTANT (4) << 30);
  g_assert_cmpuint (p->blobs->len, ==, 2);
  g_assert_cmpstr (((LmPlanItem *) p->blobs->pdata[0])->blob.name, ==, "kernel");
  g_assert_cmpuint (p->bytes_to_pull, ==, 200 + 8000);
  g_assert_cmpstr (p->selections[0], ==, "web=nginx@1.22.1");
  g_assert_null (p->selections[1]);
  g_assert_null (p->notes[0]);
}

static void
test_json (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  g_autoptr (LmPlan) p = plan (set, "nginx debian", CHAIN ("debian12"), NULL);
  g_autofree char *text = lm_plan_to_json (p);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_assert_true (json_parser_load_from_data (parser, text, -1, NULL));
  JsonObject *root = json_node_get_object (json_parser_get_root (parser));
  g_assert_cmpstr (json_array_get_string_element (json_object_get_array_member (root, "selections"), 0), ==, "web=nginx@1.22.1");
  g_assert_cmpint (json_object_get_int_member (root, "bytes_to_pull"), ==, 200 + 17000);
  JsonArray *layers = json_object_get_array_member (root, "layers");
  g_assert_cmpuint (json_array_get_length (layers), ==, 2);
  JsonObject *base = json_array_get_object_element (layers, 0), *top = json_array_get_object_element (layers, 1);
  g_assert_true (json_object_get_null_member (base, "parent"));
  g_assert_cmpstr (json_object_get_string_member (base, "action"), ==, "cached");
  g_assert_cmpstr (json_object_get_string_member (top, "action"), ==, "pull");
  g_assert_cmpstr (json_object_get_string_member (top, "parent"), ==, json_object_get_string_member (base, "digest"));
  g_assert_cmpstr (json_object_get_string_member (top, "url"), ==, "http://lab.example/c/nginx.qcow2");
  g_assert_cmpstr (json_object_get_string_member (top, "group"), ==, "web");
  g_assert_cmpint (json_object_get_int_member (top, "size"), ==, 200);
  g_assert_true (g_str_has_prefix (json_object_get_string_member (top, "path"), "/cache/layers/sha256-"));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (root, "blobs")), ==, 2);
  g_autoptr (LmPlan) again = plan (set, "nginx debian", CHAIN ("debian12"), NULL);
  g_autofree char *same = lm_plan_to_json (again);
  g_assert_cmpstr (text, ==, same);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/chains", test_chains);
  g_test_add_func ("/plan/long-chain", test_long_chain);
  g_test_add_func ("/plan/no-build", test_no_build);
  g_test_add_func ("/plan/cheapest", test_cheapest);
  g_test_add_func ("/plan/order", test_order);
  g_test_add_func ("/plan/not-required", test_not_required);
  g_test_add_func ("/plan/older", test_older);
  g_test_add_func ("/plan/older-prerelease", test_older_prerelease);
  g_test_add_func ("/plan/lost-parent", test_lost_parent);
  g_test_add_func ("/plan/circle", test_circle);
  g_test_add_func ("/plan/depth", test_depth);
  g_test_add_func ("/plan/shadow", test_shadow);
  g_test_add_func ("/plan/mirrors", test_mirrors);
  g_test_add_func ("/plan/same-file", test_same_file);
  g_test_add_func ("/plan/foreign-group", test_foreign_group);
  g_test_add_func ("/plan/lookup-error", test_lookup_error);
  g_test_add_func ("/plan/to-build", test_to_build);
  g_test_add_func ("/plan/not-to-build", test_not_to_build);
  g_test_add_func ("/plan/to-build-base", test_to_build_base);
  g_test_add_func ("/plan/to-build-json", test_to_build_json);
  g_test_add_func ("/plan/machine", test_machine);
  g_test_add_func ("/plan/json", test_json);
  return g_test_run ();
}
