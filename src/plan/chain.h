/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* From a resolved set of layers to a chain of builds that exists. A build
 * names its parent's digest, so the top build alone says what the chain is:
 * all chains are found by walking down from the builds of the selected
 * layers. For plan.c only. */
#include "plan/plan.h"

#define LM_CHAIN_MAX 64 /* layers; deeper ones are taken for circles */

typedef struct
{
  const LmCandidate *candidate;
  guint build; /* for lm_catalog_get_build() of the candidate's catalog */
} LmChainLink;

typedef struct
{
  LmChainLink links[LM_CHAIN_MAX]; /* base first */
  guint length;
  gboolean exact; /* just the versions that were resolved */
  guint64 bytes_to_pull;
} LmChain;

/** lm_chain_find: of the chains that are exactly what @resolution says, the
 * cheapest to pull from where @view stands. If there is none, of those that
 * meet the selections in other versions, the one of the newest. Each layer
 * stands above all it requires, and none is there that is neither selected
 * nor required. Error: LM_RESOLVE_ERROR_NO_BUILD. */
LmChain *lm_chain_find (const LmCatalogSet *set, const LmResolution *resolution, const LmPlanView *view,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_chain_get_build: the build at @index of @chain. */
LmCatalogBuild lm_chain_get_build (const LmCatalogSet *set, const LmChain *chain, guint index);

/** lm_chain_find_build: the build of @digest that a child listed in the catalog
 * @own stands on. Catalogs may list one file under different names: the child's
 * own comes first, then they in their order; only where the layer is visible
 * and, unless @among is NULL, a key (LmLayerRef) of it. FALSE if there is none. */
gboolean lm_chain_find_build (const LmCatalogSet *set, const LmDigest *digest, guint own, GHashTable *among,
                              LmLayerRef *out_ref, guint *out_build);
