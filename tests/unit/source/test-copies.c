/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "source/source.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LAYERS 2000

typedef struct
{
  char *state;
  char *file;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->state = g_dir_make_tmp ("lm-source-XXXXXX", NULL);
  f->file = g_build_filename (f->state, "lab.yaml", NULL);
  g_autoptr (GString) text = g_string_new ("lamina-catalog: 1\nname: lab\ngroups: [{name: os}]\nlayers:\n");
  for (guint i = 0; i < LAYERS; i++)
    {
      g_autofree char *name = g_strdup_printf ("layer%u", i);
      const LmDigest digest = lm_digest_of_text (name);
      g_autofree char *hex = lm_digest_to_string (&digest);
      g_string_append_printf (text,
                              "- name: %s\n  version: \"1\"\n  group: os\n"
                              "  builds: [{digest: \"%s\", size: 1000, urls: [%s.qcow2]}]\n",
                              name, hex, name);
    }
  g_assert_true (lm_file_write (f->file, text->str, text->len, 0644, &error));
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  gboolean added = lm_source_add (f->state, "lab", f->file, 5, warnings, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (added);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_true (lm_file_remove_tree (f->state, NULL));
  g_free (f->state);
  g_free (f->file);
}

/* A loaded catalog does not depend on its files any more: neither if it was parsed
 * from the text, which is done first, nor if it was loaded from the index. */
static void
test_files_go (Fixture *f, gconstpointer data)
{
  static const char *const suffixes[] = { ".catalog", ".index" };
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
      g_autofree char *name = g_strconcat ("lab", suffixes[i], NULL);
      g_autofree char *path = g_build_filename (f->state, "catalogs", name, NULL);
      g_autofree char *index = g_build_filename (f->state, "catalogs", "lab.index", NULL);
      g_assert_true (g_file_test (index, G_FILE_TEST_EXISTS) == (i == 1));
      g_autoptr (LmCatalogSet) set = lm_source_load_all (f->state, NULL, warnings, NULL, &error);
      g_assert_no_error (error);
      g_autoptr (GBytes) before = lm_file_read (path, G_MAXINT, NULL, NULL);
      g_assert_cmpint (truncate (path, 0), ==, 0);
      for (guint j = 0; j < LAYERS; j++)
        {
          g_autofree char *layer = g_strdup_printf ("layer%u", j);
          g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
          lm_catalog_set_find_name (set, layer, refs);
          g_assert_cmpuint (refs->len, ==, 1);
        }
      if (i == 0)
        g_assert_true (lm_file_write (path, g_bytes_get_data (before, NULL), g_bytes_get_size (before), 0644, NULL));
      /* Afterwards the index cannot be used, or belongs to another text, and is written again. */
      g_autoptr (LmCatalogSet) again = lm_source_load_all (f->state, NULL, warnings, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (lm_catalog_set_get_length (again), ==, 1);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/source/files-go", Fixture, NULL, set_up, test_files_go, tear_down);
  return g_test_run ();
}
