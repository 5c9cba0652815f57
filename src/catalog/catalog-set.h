/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Several catalogs seen as one. As with package repositories, a layer name is
 * taken from the catalogs of the highest priority that have it, and hidden in
 * the others. Builds of one digest are one file wherever they are listed: the
 * URLs of all catalogs are its mirrors, and those of kernel and initrd too. */
#include "catalog/catalog.h"

typedef struct _LmCatalogSet LmCatalogSet;

LmCatalogSet *lm_catalog_set_new (void);
void lm_catalog_set_free (LmCatalogSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCatalogSet, lm_catalog_set_free)

/** lm_catalog_set_add: takes @catalog. Higher @priority wins; catalogs of one
 * priority are seen together, first added first. */
void lm_catalog_set_add (LmCatalogSet *set, LmCatalog *catalog, int priority);

guint lm_catalog_set_get_length (const LmCatalogSet *set);
/** lm_catalog_set_get: the catalog at @index, highest priority first. */
const LmCatalog *lm_catalog_set_get (const LmCatalogSet *set, guint index);

/* A layer of one of the catalogs. */
typedef struct
{
  guint catalog; /* for lm_catalog_set_get() */
  guint layer;   /* for lm_catalog_load_layer() */
} LmLayerRef;

/** lm_catalog_set_find_name: adds an LmLayerRef to @refs for every visible
 * layer (all versions) called @name. */
void lm_catalog_set_find_name (const LmCatalogSet *set, const char *name, GArray *refs);

/** lm_catalog_set_find_provided: the same for layers that provide @name. */
void lm_catalog_set_find_provided (const LmCatalogSet *set, const char *name, GArray *refs);

/** lm_catalog_set_is_visible: whether no catalog of higher priority hides this layer. */
gboolean lm_catalog_set_is_visible (const LmCatalogSet *set, LmLayerRef ref);

/** lm_catalog_set_load_layer: with the URLs of all catalogs. Owned by the
 * caller, but for its source: the set must outlive it. */
LmLayer *lm_catalog_set_load_layer (const LmCatalogSet *set, LmLayerRef ref);

/** lm_catalog_set_load_layers: all visible layers (LmLayer), by group order,
 * name, newest version first. Owned by the caller, as above. */
GPtrArray *lm_catalog_set_load_layers (const LmCatalogSet *set);

/** lm_catalog_set_load_groups: all groups (LmGroup) in order; a name that
 * several catalogs have means what the one of highest priority says. */
GPtrArray *lm_catalog_set_load_groups (const LmCatalogSet *set);

/** lm_catalog_set_declares: whether the catalog at @index itself has the group @name. */
gboolean lm_catalog_set_declares (const LmCatalogSet *set, guint index, const char *name);

/** lm_catalog_set_suggest: the name of the layer
 * that is nearest to @name (valid); NULL when none is near. Newly allocated. */
char *lm_catalog_set_suggest (const LmCatalogSet *set, const char *name);
