/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The layers that can be part of a solution for the selections.
 *
 * A layer is in a solution only because it is selected by name, or because another
 * layer of the solution requires it. Every solution therefore lies within the
 * closure computed here: all versions of the selected names, all layers with a name
 * that one of these requires (regardless of the version required, so more than
 * necessary), and so on. Conflicts and groups only exclude layers, so those that
 * involve a layer outside the closure have no effect. Solving within the closure
 * thus gives the same result as solving over the whole catalog. */
#include "catalog/catalog-set.h"

typedef struct
{
  LmLayerRef ref;
  LmLayer *layer;
  gboolean selected; /* by the user, by its name */
} LmCandidate;

/** lm_candidates_collect: returns the candidates for @selections (LmSelection) on
 * @arch, sorted: an array that owns its LmCandidate. @set must outlive it. */
GPtrArray *lm_candidates_collect (const LmCatalogSet *set, const GPtrArray *selections, const char *arch);
