/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The chain below a build, found by following the parents. A build refers to its
 * parent by digest, so the build determines the whole chain. For the planner only. */
#include "plan/facts.h"

#define LM_LINEAGE_MAX 64 /* number of layers; a longer chain is refused */

typedef struct
{
  LmLayerRef layers[LM_LINEAGE_MAX]; /* from the build itself down to the base */
  guint builds[LM_LINEAGE_MAX];      /* the build of each, for lm_facts_get_build() */
  guint length;
  gboolean complete; /* the last one is a base; otherwise its parent is in no catalog, or it is too long */
  gboolean too_long; /* the chain has more than LM_LINEAGE_MAX layers */
} LmLineage;

/** lm_lineage_find: follows the parents of the build @build of the layer @top.
 * @among is as for lm_facts_find_build(). Returns out->complete. */
gboolean lm_lineage_find (LmFacts *facts, LmLayerRef top, guint build, GHashTable *among, LmLineage *out);
