/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "plan/lineage.h"

gboolean
lm_lineage_find (LmFacts *facts, LmLayerRef top, guint build, GHashTable *among, LmLineage *out)
{
  const LmDigest *parent = lm_facts_get_build (facts, top.catalog, build, NULL).parent;
  LmLayerRef ref = top;
  out->layers[0] = top;
  out->builds[0] = build;
  out->length = 1;
  while (parent != NULL && out->length < LM_LINEAGE_MAX
         && lm_facts_find_build (facts, parent, ref.catalog, among, &ref, &build))
    {
      out->layers[out->length] = ref;
      out->builds[out->length++] = build;
      parent = lm_facts_get_build (facts, ref.catalog, build, NULL).parent;
    }
  out->complete = parent == NULL;
  out->too_long = parent != NULL && out->length == LM_LINEAGE_MAX;
  return out->complete;
}
