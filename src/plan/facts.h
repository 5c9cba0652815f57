/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What is known about the files of layers. A digest determines the contents of a
 * file and therefore its size and parent; a catalog only claims them. If this host
 * has the file, its actual properties are used, otherwise those in the catalog that
 * lists the layer. For the planner only. */
#include "catalog/catalog-set.h"
#include "plan/plan.h"

typedef struct _LmFacts LmFacts;

/** lm_facts_new: returns an empty table; never NULL. If @view is NULL, nothing is
 * cached. @set and @view must outlive it. */
LmFacts *lm_facts_new (const LmCatalogSet *set, const LmPlanView *view);
/** lm_facts_free: frees @facts; NULL is ignored. */
void lm_facts_free (LmFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmFacts, lm_facts_free)

/** lm_facts_check: returns FALSE and a copy of the first error if a lookup of the view
 * has failed. What @facts returned since then must not be used. */
gboolean lm_facts_check (const LmFacts *facts, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_facts_get_build: returns the build with the number @build of the catalog at
 * @catalog, with the size and parent of the cached file if there is one. Its
 * pointers are valid as long as @facts. @out_cached may be NULL. If the lookup fails,
 * the file counts as not cached; the caller calls lm_facts_check() at the end. */
LmCatalogBuild lm_facts_get_build (LmFacts *facts, guint catalog, guint build, gboolean *out_cached);

/** lm_facts_find_build: finds the build with @digest, which is the parent of a
 * build in the catalog @own. Catalogs may list the same file under different names,
 * so that catalog is searched first, then all in order. The layer must be visible
 * and, unless @among is NULL, be a key (LmLayerRef) of @among. FALSE if there is
 * none. */
gboolean lm_facts_find_build (LmFacts *facts, const LmDigest *digest, guint own, GHashTable *among,
                              LmLayerRef *out_ref, guint *out_build);

/** lm_facts_is_disputed: whether a catalog that precedes the one at @catalog claims
 * another size or parent for the build, and there is no cached file to decide. */
gboolean lm_facts_is_disputed (LmFacts *facts, guint catalog, guint build);

/** lm_facts_list_contradictions: appends a warning (char *) to @notes for each
 * catalog whose claim about the build differs from lm_facts_get_build(). @name is
 * the name of the layer. */
void lm_facts_list_contradictions (LmFacts *facts, guint catalog, guint build, const char *name, GPtrArray *notes);
