/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* From a resolved set of layers to a chain of builds that exists. A build
 * names its parent's digest, so the top build alone says what the chain is:
 * all chains are found by walking down from the builds of the selected
 * layers. For plan.c only. */
#include "plan/lineage.h"

typedef struct
{
  const LmCandidate *candidate;
  guint build; /* for lm_facts_get_build() */
} LmChainLink;

typedef struct
{
  LmChainLink links[LM_LINEAGE_MAX]; /* base first */
  guint length;
  gboolean exact; /* just the versions that were resolved */
  guint disputed; /* builds for which lm_facts_is_disputed() */
  guint64 bytes_to_pull;
} LmChain;

/** lm_chain_find: of the chains that are exactly what @resolution says, the
 * cheapest to pull; if there is none, of those that meet the selections in
 * other versions, the one of the newest. Each layer stands above all it
 * requires, and none is there that is neither selected nor required. Newly
 * allocated. Error: LM_RESOLVE_ERROR_NO_BUILD. */
LmChain *lm_chain_find (const LmCatalogSet *set, LmFacts *facts, const LmResolution *resolution,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
