/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Directories of recipes, in which lamina looks for one of a layer that nobody has built yet. A recipe
 * is any file NAME.yaml, NAME.yml or NAME.json in them, except the lock file of another one. */
#include "build/recipe.h"
#include "catalog/catalog.h"

/* The version of a layer whose recipe does not say one, as long as it is not built. */
#define LM_RECIPE_VERSION_UNKNOWN "0"

/** lm_recipe_dir_load: returns the recipes (LmRecipe) in the directories @dirs, which may be NULL, one for
 * each name of a layer: the first one, in the order of the directories, and in each in that of the file
 * names. A directory that does not exist has none; a file that is not a valid recipe is left
 * out, with a warning (char *) in @warnings. Errors: G_IO_ERROR_CANCELLED. */
GPtrArray *lm_recipe_dir_load (const char *const *dirs, GPtrArray *warnings, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_recipe_dir_find: returns that of @recipes which makes the layer @name; NULL if there is none. */
const LmRecipe *lm_recipe_dir_find (const GPtrArray *recipes, const char *name);

/** lm_recipe_dir_catalog: returns a catalog called "recipes" of the layers of @recipes, which have no builds.
 * A group allows several layers if that of @groups (LmGroup) with its name does. Errors: those of lm_catalog_parse(). */
LmCatalog *lm_recipe_dir_catalog (const GPtrArray *recipes, const GPtrArray *groups, GError **error) G_GNUC_WARN_UNUSED_RESULT;
