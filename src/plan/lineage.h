/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The chain below a build, found by following the parents. A build names its
 * parent's digest, so the build alone says what the whole chain is. For the planner only. */
#include "plan/facts.h"

#define LM_LINEAGE_MAX 64 /* layers; deeper ones are treated as circular */

typedef struct
{
  LmLayerRef layers[LM_LINEAGE_MAX]; /* from the build itself down to its base */
  guint builds[LM_LINEAGE_MAX];      /* of each, for lm_facts_get_build() */
  guint length;
  gboolean complete; /* the last one is a base; else its parent is in no catalog */
} LmLineage;

/** lm_lineage_find: follows the parents of the build @build of the layer @top.
 * @among as in lm_facts_find_build(). Returns out->complete. */
gboolean lm_lineage_find (LmFacts *facts, LmLayerRef top, guint build, GHashTable *among, LmLineage *out);
