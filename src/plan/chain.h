/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Finds a chain of existing builds for a resolved set of layers. A build refers to
 * its parent by digest, so the top build determines the whole chain: all chains are
 * found by following the parents of the builds of the selected layers. For plan.c
 * only. */
#include "plan/lineage.h"

typedef struct
{
  const LmCandidate *candidate;
  guint build; /* for lm_facts_get_build(); LM_CATALOG_NONE if it is to be built */
} LmChainLink;

typedef struct
{
  LmChainLink links[LM_LINEAGE_MAX]; /* base first; those to be built come last */
  guint length;
  guint to_build; /* number of those that are to be built */
  gboolean exact; /* has exactly the versions that were resolved */
  guint disputed; /* number of builds for which lm_facts_is_disputed() is true */
  guint64 bytes_to_pull;
} LmChain;

/** lm_chain_find: returns, of the chains with exactly the layers of @resolution,
 * the one with the fewest bytes to pull; if there is none, of the chains that meet
 * the selections with other versions, the one with the newest versions. Each layer
 * is above all layers it requires, and no layer is included that is neither
 * selected nor required. Newly allocated. Error: LM_RESOLVE_ERROR_NO_BUILD. */
LmChain *lm_chain_find (const LmCatalogSet *set, LmFacts *facts, const LmResolution *resolution,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_chain_find_nearest: returns the chain that becomes, when layers for which @options has
 * recipes are built on it, one with the layers of @resolution; of several, the one with the
 * fewest of these, then as lm_chain_find(). It may have no ready layer at all. Newly allocated.
 * Error: LM_RESOLVE_ERROR_NO_BUILD. */
LmChain *lm_chain_find_nearest (const LmCatalogSet *set, LmFacts *facts, const LmResolution *resolution,
                                const LmPlanOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
