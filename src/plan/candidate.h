/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The layers that may be part of an answer to selections.
 *
 * A layer is in an answer only because it is selected by name, or because a
 * layer of the answer requires it: nothing else ever pulls one in. So every
 * answer lies within the closure computed here: all versions of the selected
 * names, all layers that meet a name that one of these requires (whatever
 * the version asked for, so more than is needed), and so on. Conflicts and
 * groups only forbid; between layers outside the closure, or between one
 * inside and one outside, they forbid nothing that could be chosen. Solving
 * within it thus gives what solving over the whole catalog would. */
#include "catalog/catalog-set.h"

typedef struct
{
  LmLayerRef ref;
  LmLayer *layer;
  gboolean selected; /* by the user, by name */
} LmCandidate;

/** lm_candidates_collect: those for @selections (LmSelection) on @arch, sorted:
 * an array that owns its LmCandidate. @set must outlive it. */
GPtrArray *lm_candidates_collect (const LmCatalogSet *set, const GPtrArray *selections, const char *arch);
