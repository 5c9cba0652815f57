/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a catalog says about the layer of a recipe. Pure. */
#include "build/recipe.h"
#include "catalog/layer.h"

/** lm_recipe_layer_new: returns the entry of the layer of @recipe with the version @version, and with the one
 * build @made; NULL if it has not been built yet. @kernel and @initrd may be NULL; they are copied. */
LmLayer *lm_recipe_layer_new (const LmRecipe *recipe, const char *version, const LmBuild *made, const LmBlob *kernel, const LmBlob *initrd);
