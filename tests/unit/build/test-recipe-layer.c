/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/recipe-layer.h"

#include <string.h>

static LmRecipe *
parse (const char *more)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strdup_printf ("lamina-recipe: 1\nname: n\ngroup: os\npackages: p\nsummary: S\nready: up\ncmdline: quiet\n"
                                           "provides: [a]\nconflicts: [b]\n%s", more);
  LmRecipe *recipe = lm_recipe_parse ("/r.yaml", text, strlen (text), &error);
  g_assert_no_error (error);
  return recipe;
}

static LmLayer *
make_entry (const char *more, gboolean with_kernel)
{
  g_autoptr (LmRecipe) recipe = parse (more);
  const LmBlob layer = { .kind = LM_BLOB_LAYER, .name = (char *) "n", .digest = lm_digest_of_text ("layer"), .size = 7 };
  const LmBlob kernel = { .kind = LM_BLOB_FILE, .name = (char *) "kernel", .digest = lm_digest_of_text ("kernel"), .size = 5 };
  g_autoptr (LmBuild) made = lm_build_new (&layer);
  return lm_recipe_layer_new (recipe, "1.2", made, with_kernel ? &kernel : NULL, NULL);
}

/* It requires what it stands on, in the version that the recipe says, and what else the recipe requires. */
static void
test_child (void)
{
  g_autoptr (LmLayer) layer = make_entry ("on: [debian@12, os=nginx]\nrequires: [x >= 2]\n", FALSE);
  g_assert_cmpstr (layer->name, ==, "n");
  g_assert_cmpstr (layer->version, ==, "1.2");
  g_assert_cmpstr (layer->group, ==, "os");
  g_assert_cmpstr (layer->summary, ==, "S");
  g_assert_cmpstr (layer->ready, ==, "up");
  g_assert_cmpstr (layer->cmdline, ==, "quiet");
  g_autofree char *requires = g_strjoinv (",", layer->requires);
  g_assert_cmpstr (requires, ==, "debian = 12,nginx,x >= 2");
  g_assert_cmpstr (layer->provides[0], ==, "a");
  g_assert_cmpstr (layer->conflicts[0], ==, "b");
  g_assert_cmpuint (layer->builds->len, ==, 1);
  g_assert_cmpuint (lm_layer_get_build (layer, 0)->blob.size, ==, 7);
  g_assert_null (layer->kernel);
}

/* The command line is for QEMU, which loads the kernel; GRUB has that of a disk which boots by itself. */
static void
test_base (void)
{
  g_autoptr (LmLayer) kernel = make_entry ("resources: {memory: 64MiB, disk: 1GiB}\n", TRUE);
  g_assert_cmpstr (kernel->cmdline, ==, "quiet");
  g_assert_cmpuint (kernel->kernel->size, ==, 5);
  g_assert_null (kernel->initrd);
  g_assert_cmpuint (kernel->memory, ==, 64 * 1024 * 1024);
  g_assert_cmpuint (kernel->disk, ==, 1024 * 1024 * 1024);
  g_assert_cmpuint (g_strv_length (kernel->requires), ==, 0);
  g_autoptr (LmLayer) grub = make_entry ("boot: bios\n", FALSE);
  g_assert_null (grub->cmdline);
  g_assert_null (grub->kernel);
}

static void
test_unbuilt (void)
{
  g_autoptr (LmRecipe) recipe = parse ("on: debian\n");
  g_autoptr (LmLayer) layer = lm_recipe_layer_new (recipe, "1.2", NULL, NULL, NULL);
  g_assert_cmpuint (layer->builds->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recipe-layer/child", test_child);
  g_test_add_func ("/recipe-layer/base", test_base);
  g_test_add_func ("/recipe-layer/unbuilt", test_unbuilt);
  return g_test_run ();
}
