/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a fuzz target without libFuzzer: with each file of its corpus, and with a
 * fixed number of changed copies of each, which are the same in each run. */
#include "config.h"
#include "fuzz.h"

#include <glib.h>
#include <string.h>

#define COPIES 500
#define CHANGES_MAX 8
#define SEED 20240529

/* Allocates exactly @size bytes, so that a sanitizer detects a read past the end. */
static void
run_one (const guint8 *data, gsize size)
{
  guint8 *exact = g_malloc (MAX (size, 1));
  if (size > 0)
    memcpy (exact, data, size);
  LLVMFuzzerTestOneInput (exact, size);
  g_free (exact);
}

static void
run_changed (const guint8 *data, gsize size, GRand *random)
{
  static const guint8 telling[] = { 0x00, 0x01, 0x7f, 0x80, 0xff, '\n', '"', '{' };
  g_autofree guint8 *copy = g_memdup2 (data, size);
  gint32 changes = g_rand_int_range (random, 1, CHANGES_MAX);
  for (gint32 i = 0; i < changes; i++)
    {
      gsize at = (gsize) g_rand_int (random) % size;
      copy[at] = g_rand_boolean (random) ? telling[g_rand_int (random) % G_N_ELEMENTS (telling)]
                                         : (guint8) g_rand_int (random);
    }
  gsize kept = g_rand_int_range (random, 0, 4) == 0 ? (gsize) g_rand_int (random) % (size + 1) : size;
  run_one (copy, kept);
}

static void
test_file (gconstpointer path)
{
  g_autofree char *data = NULL;
  gsize size;
  g_autoptr (GError) error = NULL;
  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  run_one ((const guint8 *) data, size);
  g_autoptr (GRand) random = g_rand_new_with_seed (SEED);
  for (guint i = 0; size > 0 && i < COPIES; i++)
    run_changed ((const guint8 *) data, size, random);
}

/* The corpus of fuzz-NAME is in corpus/NAME. */
int
main (int argc, char **argv)
{
  g_autofree char *program = g_path_get_basename (argv[0]);
  g_test_init (&argc, &argv, NULL);
  g_assert_true (g_str_has_prefix (program, "fuzz-"));
  const char *name = program + strlen ("fuzz-");
  g_autofree char *dir_path = g_test_build_filename (G_TEST_DIST, "fuzz", "corpus", name, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (dir_path, 0, &error);
  g_assert_no_error (error);
  g_assert_nonnull (dir);

  const char *file;
  while ((file = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *test = g_strdup_printf ("/fuzz/%s/%s", name, file);
      g_test_add_data_func_full (test, g_build_filename (dir_path, file, NULL), test_file, g_free);
    }
  return g_test_run ();
}
