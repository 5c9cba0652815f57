/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "source/local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES 8
#define EACH 10

typedef struct
{
  char *state;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->state = g_dir_make_tmp ("lm-local-XXXXXX", NULL);
  g_autofree char *layers = g_build_filename (f->state, "layers", NULL);
  g_assert_true (lm_file_make_dir (layers, 0755, NULL));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_true (lm_file_remove_tree (f->state, NULL));
  g_free (f->state);
}

/* Creates a file in the cache whose digest is that of @content. */
static void
make_file (const Fixture *f, const char *content)
{
  const LmDigest digest = lm_digest_of_text (content);
  g_autofree char *name = lm_digest_file_name (&digest, ".qcow2");
  g_autofree char *path = g_build_filename (f->state, "layers", name, NULL);
  g_assert_true (lm_file_write (path, content, strlen (content), 0444, NULL));
}

/* Lists a build of the layer @name 1 with the digest of @content; @parent may be NULL, and so may @package,
 * the only one that it records. */
static gboolean
try_add_with (const Fixture *f, const char *name, const char *parent, const char *content, const char *package, gboolean replace,
              LmLocalChange *out_change, GError **error)
{
  const LmGroup group = { .name = (char *) "os", .title = (char *) "Systems" };
  g_autoptr (LmLayer) layer = g_new0 (LmLayer, 1);
  LmBuild *build = g_new0 (LmBuild, 1);
  layer->name = g_strdup (name);
  layer->version = g_strdup ("1");
  layer->group = g_strdup ("os");
  layer->builds = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_build_free);
  g_ptr_array_add (layer->builds, build);
  build->blob.digest = lm_digest_of_text (content);
  build->blob.size = strlen (content);
  build->blob.has_parent = parent != NULL;
  if (parent != NULL)
    build->blob.parent = lm_digest_of_text (parent);
  if (package != NULL)
    build->packages = g_strsplit (package, " ", -1);
  build->has_lock = package != NULL;
  build->lock = build->blob.digest;
  return lm_local_add (f->state, layer, &group, replace, out_change, NULL, NULL, error);
}

static gboolean
try_add (const Fixture *f, const char *name, const char *parent, const char *content, gboolean replace, LmLocalChange *out_change, GError **error)
{
  return try_add_with (f, name, parent, content, NULL, replace, out_change, error);
}

static LmLocalChange
add (const Fixture *f, const char *name, const char *parent, const char *content)
{
  g_autoptr (GError) error = NULL;
  LmLocalChange change;
  gboolean added = try_add (f, name, parent, content, TRUE, &change, &error);
  g_assert_no_error (error);
  g_assert_true (added);
  return change;
}

/* Returns the only catalog, as a launch sees it. */
static LmCatalogSet *
load (const Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  LmCatalogSet *set = lm_source_load_all (f->state, NULL, warnings, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (warnings->len, ==, 0);
  return set;
}

static guint
count_builds (const Fixture *f, const char *name)
{
  g_autoptr (LmCatalogSet) set = load (f);
  const LmCatalog *catalog = lm_catalog_set_get (set, 0);
  guint n = 0, layer = lm_catalog_find_name (catalog, name);
  if (layer != LM_CATALOG_NONE)
    (void) lm_catalog_get_builds (catalog, layer, &n);
  return n;
}

/* A file that cannot be examined is not taken for one that is gone, whose build another one may replace. */
static void
test_unknown_file (Fixture *f, gconstpointer data)
{
  g_autofree char *layers = g_build_filename (f->state, "layers", NULL), *away = g_build_filename (f->state, "away", NULL);
  g_autoptr (GError) error = NULL;
  LmLocalChange change;
  make_file (f, "one");
  (void) add (f, "a", NULL, "one");
  g_assert_cmpint (rename (layers, away), ==, 0);
  g_assert_cmpint (symlink (layers, layers), ==, 0);
  g_assert_false (try_add (f, "a", NULL, "two", FALSE, &change, &error));
  g_assert_error (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_EXISTS);
  g_assert_cmpuint (count_builds (f, "a"), ==, 1);
}

/* A layer does not lose its file to another one. */
static void
test_same_file (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LmLocalChange change;
  make_file (f, "one");
  (void) add (f, "a", NULL, "one");
  g_assert_false (try_add (f, "b", NULL, "one", FALSE, &change, &error));
  g_assert_error (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_EXISTS);
  g_assert_nonnull (strstr (error->message, "as a@1"));
  g_clear_error (&error);
  g_assert_cmpuint (count_builds (f, "a"), ==, 1);
  g_assert_cmpuint (count_builds (f, "b"), ==, 0);
  g_assert_true (try_add (f, "a", NULL, "one", FALSE, &change, &error));
  g_assert_cmpint (add (f, "b", NULL, "one"), ==, LM_LOCAL_CHANGED);
}

static void
test_add (Fixture *f, gconstpointer data)
{
  g_autoptr (LmCatalogSet) none = load (f);
  g_assert_cmpuint (lm_catalog_set_get_length (none), ==, 0);
  make_file (f, "one");
  g_assert_cmpint (add (f, "a", NULL, "one"), ==, LM_LOCAL_CHANGED);
  g_assert_cmpint (add (f, "a", NULL, "one"), ==, LM_LOCAL_UNCHANGED);
  g_autoptr (LmCatalogSet) set = load (f);
  g_autoptr (LmLayer) layer = lm_catalog_load_layer (lm_catalog_set_get (set, 0), 0);
  g_autoptr (LmGroup) group = lm_catalog_load_group (lm_catalog_set_get (set, 0), 0);
  g_assert_cmpstr (layer->source, ==, "local");
  g_assert_cmpstr (group->title, ==, "Systems");
  g_assert_null (lm_layer_get_build (layer, 0)->blob.urls[0]);
  make_file (f, "child");
  (void) add (f, "a", "x", "child");
  g_assert_cmpuint (count_builds (f, "a"), ==, 2);
}

/* The build on the same parent is replaced; what is gone from the cache is not available,
 * until it is there again. */
static void
test_replace (Fixture *f, gconstpointer data)
{
  make_file (f, "one");
  make_file (f, "two");
  (void) add (f, "a", NULL, "one");
  (void) add (f, "a", NULL, "two");
  g_assert_cmpuint (count_builds (f, "a"), ==, 1);
  LmLocalChange change;
  g_autoptr (GError) error = NULL;
  g_assert_false (try_add (f, "a", NULL, "one", FALSE, &change, &error));
  g_assert_error (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_EXISTS);
  g_assert_true (try_add (f, "a", NULL, "two", FALSE, &change, NULL) && change == LM_LOCAL_UNCHANGED);
  g_assert_true (try_add (f, "a", "x", "one", FALSE, &change, NULL) && change == LM_LOCAL_CHANGED);
  (void) add (f, "b", NULL, "gone");
  g_assert_cmpuint (count_builds (f, "b"), ==, 0);
  g_autoptr (LmCatalog) whole = NULL;
  g_assert_true (lm_local_load (f->state, &whole, NULL));
  g_assert_cmpuint (lm_catalog_find_name (whole, "b"), !=, LM_CATALOG_NONE);
  make_file (f, "three");
  g_assert_true (try_add (f, "b", NULL, "three", FALSE, &change, NULL));
  (void) add (f, "b", NULL, "gone");
  make_file (f, "gone");
  g_assert_cmpuint (count_builds (f, "b"), ==, 1);
}

/* What a build contains is kept, also when somebody lists it again who does not know that. */
static void
test_contents (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LmLocalChange change;
  make_file (f, "one");
  g_assert_true (try_add_with (f, "a", NULL, "one", "x=1", FALSE, &change, NULL) && change == LM_LOCAL_CHANGED);
  g_assert_true (try_add (f, "a", NULL, "one", FALSE, &change, NULL) && change == LM_LOCAL_UNCHANGED);
  g_autoptr (LmCatalogSet) set = load (f);
  g_autoptr (LmBuild) build = lm_catalog_load_build (lm_catalog_set_get (set, 0), 0);
  g_assert_cmpstr (build->packages[0], ==, "x=1");
  g_assert_true (build->has_lock && lm_digest_equal (&build->lock, &build->blob.digest));
  g_assert_false (try_add_with (f, "a", NULL, "one", "x", FALSE, &change, &error));
  g_assert_error (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID);
  /* Nobody has seen the text of the entry, so the message does not say where in it this is. */
  g_assert_true (g_str_has_prefix (error->message, "\"x\" is not NAME=VERSION"));
}

static void
test_processes (Fixture *f, gconstpointer data)
{
  for (int i = 0; i < PROCESSES; i++)
    if (fork () == 0)
      {
        for (int j = 0; j < EACH; j++)
          {
            g_autofree char *name = g_strdup_printf ("l%d-%d", i, j);
            make_file (f, name);
            (void) add (f, name, NULL, name);
          }
        _exit (0);
      }
  for (int i = 0, status; i < PROCESSES; i++)
    g_assert_true (wait (&status) > 0 && status == 0);
  g_autoptr (LmCatalogSet) set = load (f);
  g_assert_cmpuint (lm_catalog_get_n_layers (lm_catalog_set_get (set, 0)), ==, PROCESSES * EACH);
}

/* A run that is killed leaves the catalog as it was, or with the layer in it. */
static void
test_killed (Fixture *f, gconstpointer data)
{
  static const char *const points[] = { "local-before-save=kill", "file-before-rename=kill", "local-after-save=kill" };
  make_file (f, "one");
  make_file (f, "two");
  (void) add (f, "a", NULL, "one");
  for (gsize i = 0; i < G_N_ELEMENTS (points); i++)
    {
      int status;
      if (fork () == 0)
        {
          g_setenv ("LAMINA_TEST_FAULT", points[i], TRUE);
          (void) add (f, "b", NULL, "two");
          _exit (0);
        }
      g_assert_true (wait (&status) > 0 && WIFSIGNALED (status));
      g_assert_cmpuint (count_builds (f, "a"), ==, 1);
      g_assert_cmpuint (count_builds (f, "b"), ==, i == 2 ? 1 : 0);
    }
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *dir = g_build_filename (f->state, "catalogs", NULL);
  g_autofree char *copy = g_build_filename (dir, "local.catalog", NULL);
  LmLocalChange change;
  g_assert_false (try_add (f, "Not a name", NULL, "one", TRUE, &change, &error));
  g_assert_error (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID);
  g_assert_false (g_file_test (dir, G_FILE_TEST_EXISTS));
  g_clear_error (&error);
  g_assert_false (lm_source_add (f->state, "local", copy, 1, warnings, NULL, NULL, &error));
  g_assert_error (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_NAME);
  g_clear_error (&error);
  make_file (f, "one");
  (void) add (f, "a", NULL, "one");
  g_assert_false (lm_source_remove (f->state, "local", NULL, NULL, &error));
  g_assert_error (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_NAME);
  g_clear_error (&error);
  g_assert_cmpuint (count_builds (f, "a"), ==, 1);
  /* Nobody could bring back what it lists. */
  g_assert_true (lm_file_write (copy, "damaged", 7, 0644, NULL));
  g_assert_false (try_add (f, "b", NULL, "one", TRUE, &change, &error));
  g_assert_error (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, copy));
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (copy, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "damaged");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/local/add", Fixture, NULL, set_up, test_add, tear_down);
  g_test_add ("/local/unknown-file", Fixture, NULL, set_up, test_unknown_file, tear_down);
  g_test_add ("/local/same-file", Fixture, NULL, set_up, test_same_file, tear_down);
  g_test_add ("/local/replace", Fixture, NULL, set_up, test_replace, tear_down);
  g_test_add ("/local/contents", Fixture, NULL, set_up, test_contents, tear_down);
  g_test_add ("/local/processes", Fixture, NULL, set_up, test_processes, tear_down);
  g_test_add ("/local/killed", Fixture, NULL, set_up, test_killed, tear_down);
  g_test_add ("/local/refused", Fixture, NULL, set_up, test_refused, tear_down);
  return g_test_run ();
}
