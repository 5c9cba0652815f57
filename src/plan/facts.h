/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What is known of the files of layers. A digest commits to the bytes of a file,
 * and so to its size and parent; a catalog only claims them. Where the host has
 * the file, the file counts; where it has not, the catalog that lists the layer.
 * For the planner only. */
#include "catalog/catalog-set.h"
#include "plan/plan.h"

typedef struct _LmFacts LmFacts;

/** lm_facts_new: an empty table. @view may be NULL: nothing is cached.
 * Both must outlive it. */
LmFacts *lm_facts_new (const LmCatalogSet *set, const LmPlanView *view);
void lm_facts_free (LmFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmFacts, lm_facts_free)

/** lm_facts_get_build: the build numbered @build of the catalog at @catalog, with
 * the size and parent of the cached file if there is one. What it points to
 * lives as long as @facts. @out_cached may be NULL. */
LmCatalogBuild lm_facts_get_build (LmFacts *facts, guint catalog, guint build, gboolean *out_cached);

/** lm_facts_find_build: the build of @digest, as the parent of a build of the
 * catalog @own. Catalogs may list one file under different names: that catalog is
 * searched first, then all in their order. The layer must be visible and, unless
 * @among is NULL, a key (LmLayerRef) of it. FALSE if there is none. */
gboolean lm_facts_find_build (LmFacts *facts, const LmDigest *digest, guint own, GHashTable *among,
                              LmLayerRef *out_ref, guint *out_build);

/** lm_facts_is_disputed: whether a catalog that comes before the one at @catalog
 * claims another size or parent for its build, and no cached file decides. */
gboolean lm_facts_is_disputed (LmFacts *facts, guint catalog, guint build);

/** lm_facts_list_contradictions: adds to @notes (char *) a warning for each
 * catalog whose claim about the build's file is not what lm_facts_get_build()
 * says. @name is what the layer is called. */
void lm_facts_list_contradictions (LmFacts *facts, guint catalog, guint build, const char *name, GPtrArray *notes);
