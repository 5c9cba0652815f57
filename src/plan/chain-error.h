/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Explains why there is no chain: which builds are missing and which exist. For chain.c only. */
#include "plan/facts.h"

/** lm_chain_throw_no_build: sets @error to LM_RESOLVE_ERROR_NO_BUILD and returns FALSE. */
gboolean lm_chain_throw_no_build (const LmCatalogSet *set, LmFacts *facts, const LmResolution *resolution, GError **error);

/** lm_chain_throw_no_recipe: likewise, if the missing ones cannot be built either. */
gboolean lm_chain_throw_no_recipe (const LmResolution *resolution, const LmPlanOptions *options, GError **error);
