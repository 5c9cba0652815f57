/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What there is to select, as "lamina list" shows it. */
#include "plan/facts.h"

/** lm_listing_to_json: groups and visible layers of @set as one JSON document
 * {"groups":[...],"layers":[...]}; "cached" as @view (may be NULL: nothing
 * is) has it. Newly allocated, pretty-printed. */
char *lm_listing_to_json (const LmCatalogSet *set, const LmPlanView *view);

/** lm_listing_is_cached: whether all of some chain of one of the layer's
 * builds is cached, so that it can be launched offline. */
gboolean lm_listing_is_cached (LmFacts *facts, const LmLayer *layer);
