/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/recipe-layer.h"
#include "catalog/selection.h"

/* What it stands on, and what else the recipe says. */
static char **
list_requires (const LmRecipe *recipe)
{
  g_autoptr (GStrvBuilder) requires = g_strv_builder_new ();
  for (char **on = recipe->on; on != NULL && *on != NULL; on++)
    {
      g_autoptr (LmSelection) selection = lm_selection_parse (*on, NULL);
      g_autofree char *relation = selection->version != NULL ? g_strdup_printf ("%s = %s", selection->name, selection->version)
                                                             : g_strdup (selection->name);
      g_strv_builder_add (requires, relation);
    }
  if (recipe->requires != NULL)
    g_strv_builder_addv (requires, (const char **) recipe->requires);
  return g_strv_builder_end (requires);
}

LmLayer *
lm_recipe_layer_new (const LmRecipe *recipe, const char *version, const LmBuild *made, const LmBlob *kernel, const LmBlob *initrd)
{
  LmLayer *layer = g_new0 (LmLayer, 1);
  layer->name = g_strdup (recipe->name);
  layer->version = g_strdup (version);
  layer->group = g_strdup (recipe->group);
  layer->summary = g_strdup (recipe->summary);
  layer->osinfo = g_strdup (recipe->osinfo);
  layer->arch = g_strdup (recipe->arch);
  layer->ready = g_strdup (recipe->ready);
  /* GRUB has that of a base which boots by itself. */
  layer->cmdline = recipe->on != NULL || kernel != NULL ? g_strdup (recipe->cmdline) : NULL;
  layer->kernel = kernel != NULL ? lm_blob_dup (kernel) : NULL;
  layer->initrd = initrd != NULL ? lm_blob_dup (initrd) : NULL;
  layer->memory = recipe->memory;
  layer->disk = recipe->disk;
  layer->provides = g_strdupv (recipe->provides);
  layer->requires = list_requires (recipe);
  layer->conflicts = g_strdupv (recipe->conflicts);
  layer->builds = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_build_free);
  if (made != NULL)
    g_ptr_array_add (layer->builds, lm_build_dup (made));
  return layer;
}
