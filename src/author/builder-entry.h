/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the local catalog says about a layer that was built. Pure. For builder.c only. */
#include "build/recipe.h"
#include "catalog/layer.h"

/** lm_builder_entry_new: returns the entry of the layer of @recipe with the version @version, and with the one
 * build @made. @kernel and @initrd may be NULL; they are copied. */
LmLayer *lm_builder_entry_new (const LmRecipe *recipe, const char *version, const LmBuild *made, const LmBlob *kernel, const LmBlob *initrd);
