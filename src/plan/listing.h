/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The list of available layers, as "lamina list" prints it. */
#include "plan/facts.h"

/* A layer that no catalog lists, but that can be built. */
typedef struct
{
  const char *name, *group;
  const char *version, *summary; /* may be NULL */
  const char *path;              /* of the recipe */
} LmListingRecipe;

/** lm_listing_to_json: returns the groups and visible layers of @set, and @recipes (LmListingRecipe; may
 * be NULL), as a JSON document {"groups":[...],"layers":[...],"recipes":[...]}, indented, newly
 * allocated. @view determines "cached"; if it is NULL, nothing is cached. Errors: those of the lookup
 * of @view. */
char *lm_listing_to_json (const LmCatalogSet *set, const LmPlanView *view, const GArray *recipes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_listing_is_cached: whether a complete chain of one of the builds of @layer is
 * cached, so that it can be launched offline. See lm_facts_check() for errors. */
gboolean lm_listing_is_cached (LmFacts *facts, const LmLayer *layer);
