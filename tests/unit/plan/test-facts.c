/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Catalogs that contradict each other, or the cached files, about a digest. */
#include "config.h"
#include "tests/unit/lib/lab.h"

#include <string.h>

#define HEAD "lamina-catalog: 1\ngroups: [{name: os, required: true}, {name: g, multiple: true}]\nlayers:\n"
#define LAYER(name, group, build) "  - {name: " name ", version: \"1\", group: " group ", builds: [{" build ", urls: [x]}]}\n"
#define BASE LAYER ("base", "os", "digest: $base, size: 100")
#define APP LAYER ("app", "g", "digest: $app, size: 10, parent: $base")
/* the values that BASE and APP have are those of the files */
#define WRONG_SIZE LAYER ("app", "g", "digest: $app, size: 20, parent: $base")
#define WRONG_PARENT LAYER ("app", "g", "digest: $app, size: 10, parent: $other") LAYER ("other", "os", "digest: $other, size: 1")
#define NO_PARENT LAYER ("app", "g", "digest: $app, size: 10")
#define WRONG_BASE LAYER ("base", "os", "digest: $base, size: 7")

static void
add (LmCatalogSet *set, const char *source, const char *text, int priority)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *expanded = lab_expand (text);
  g_autofree char *url = g_strdup_printf ("http://%s.example/c.yaml", source);
  LmCatalog *catalog = lm_catalog_parse (source, NULL, url, expanded, strlen (expanded), NULL, &error);
  g_assert_no_error (error);
  lm_catalog_set_add (set, catalog, priority);
}

/* A view with the files whose names are in @user_data. */
static gboolean
lookup (gpointer user_data, LmBlob *blob, gboolean *out_cached, char **out_path, GError **error)
{
  LmDigest base = lm_digest_of_text ("base"), app = lm_digest_of_text ("app");
  *out_path = g_strdup ("/cache/x");
  *out_cached = TRUE;
  if (strstr (user_data, "base") != NULL && lm_digest_equal (&blob->digest, &base))
    {
      blob->size = 100;
      blob->has_parent = FALSE;
      return TRUE;
    }
  *out_cached = strstr (user_data, "app") != NULL && lm_digest_equal (&blob->digest, &app);
  if (!*out_cached)
    return TRUE;
  blob->size = 10;
  blob->has_parent = TRUE;
  blob->parent = base;
  return TRUE;
}

static LmPlan *
plan (const LmCatalogSet *set, const char *cached)
{
  g_autoptr (GError) error = NULL;
  LmPlanView view = { lookup, (gpointer) cached };
  LmPlanOptions options = { .arch = "x86_64" };
  LmPlan *made = lm_plan_new (set, (const char *const[]){ "base", "app", NULL }, &options, &view, &error);
  g_assert_no_error (error);
  return made;
}

static void
assert_right (const LmPlan *p)
{
  g_assert_cmpuint (p->layers->len, ==, 2);
  const LmBlob *base = &((LmPlanItem *) p->layers->pdata[0])->blob, *app = &((LmPlanItem *) p->layers->pdata[1])->blob;
  LmDigest digest = lm_digest_of_text ("app");
  g_assert_false (base->has_parent);
  g_assert_cmpuint (base->size, ==, 100);
  g_assert_true (lm_digest_equal (&app->digest, &digest));
  g_assert_true (app->has_parent && lm_digest_equal (&app->parent, &base->digest));
  g_assert_cmpuint (app->size, ==, 10);
}

/* Checks that there is one warning, which is about the catalog @source. */
static void
assert_blamed (const LmPlan *p, const char *source)
{
  g_autofree char *one = g_strdup_printf ("the catalog %s is wrong about ", source);
  g_autofree char *two = g_strdup_printf ("; the entry in %s is ignored", source);
  for (char **note = p->notes; *note; note++)
    g_test_message ("%s", *note);
  g_assert_cmpuint (g_strv_length (p->notes), ==, 1);
  g_assert_true (strstr (p->notes[0], one) != NULL || strstr (p->notes[0], two) != NULL);
}

static const char *const wrong[] = { BASE WRONG_SIZE, BASE WRONG_PARENT, BASE NO_PARENT, WRONG_BASE APP };

/* A cached file is right, whatever the position of the wrong catalog. */
static void
test_cached (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    for (int priority = -1; priority <= 1; priority++)
      for (guint first = 0; first < 2; first++)
        {
          g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
          g_autofree char *text = g_strconcat (HEAD, wrong[i], NULL);
          if (first)
            add (set, "bad", text, priority);
          add (set, "good", HEAD BASE APP, 0);
          if (!first)
            add (set, "bad", text, priority);
          g_test_message ("%u %d %u", i, priority, first);
          g_autoptr (LmPlan) p = plan (set, "base app");
          assert_right (p);
          assert_blamed (p, "bad");
          g_assert_cmpuint (p->bytes_to_pull, ==, 0);
        }
}

/* Also if there is no other catalog. */
static void
test_alone (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
      g_autofree char *text = g_strconcat (HEAD, wrong[i], NULL);
      add (set, "bad", text, 0);
      g_autoptr (LmPlan) p = plan (set, "base app");
      assert_right (p);
      assert_blamed (p, "bad");
    }
}

/* If there is no file, the first catalog is used, not the cheapest. */
static void
test_uncached (void)
{
  static const char *const claims[] = { BASE LAYER ("app", "g", "digest: $app, size: 2, parent: $base"), BASE WRONG_SIZE, BASE WRONG_PARENT,
                                        WRONG_BASE APP };
  for (guint i = 0; i < G_N_ELEMENTS (claims); i++)
    for (int priority = -1; priority <= 0; priority++)
      {
        g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
        g_autofree char *text = g_strconcat (HEAD, claims[i], NULL);
        add (set, "good", HEAD BASE APP, 0);
        add (set, "bad", text, priority);
        g_autoptr (LmPlan) p = plan (set, "");
        assert_right (p);
        assert_blamed (p, "bad");
        g_assert_cmpuint (p->bytes_to_pull, ==, 110);
      }
}

/* A catalog that is wrong about a file is not a mirror for it. */
static void
test_no_mirror (void)
{
  static const char *const claims[] = { LAYER ("o", "g", "digest: $app, size: 11, parent: $base"),
                                        LAYER ("o", "g", "digest: $app, size: 10, parent: $other"), LAYER ("o", "g", "digest: $app, size: 10") };
  for (guint i = 0; i < G_N_ELEMENTS (claims); i++)
    {
      g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
      g_autofree char *text = g_strconcat (HEAD, claims[i], NULL);
      add (set, "good", HEAD BASE APP, 0);
      add (set, "bad", text, 1);
      g_autoptr (LmPlan) p = plan (set, "");
      g_assert_cmpuint (g_strv_length (((LmPlanItem *) p->layers->pdata[1])->blob.urls), ==, 1);
      assert_right (p);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/facts/cached", test_cached);
  g_test_add_func ("/facts/alone", test_alone);
  g_test_add_func ("/facts/uncached", test_uncached);
  g_test_add_func ("/facts/no-mirror", test_no_mirror);
  return g_test_run ();
}
