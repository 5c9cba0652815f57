/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Several catalogs combined into one. As with package repositories, layers with a
 * given name are taken only from the catalogs of the highest priority that have the
 * name; those in other catalogs are hidden. Builds with the same digest are the
 * same file in whichever catalog they are listed, so the URLs of all catalogs are
 * its mirrors; likewise for kernel and initrd. */
#include "catalog/catalog.h"

typedef struct _LmCatalogSet LmCatalogSet;

/** lm_catalog_set_new: returns an empty set; never NULL. */
LmCatalogSet *lm_catalog_set_new (void);
/** lm_catalog_set_free: frees @set and its catalogs; NULL is ignored. */
void lm_catalog_set_free (LmCatalogSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCatalogSet, lm_catalog_set_free)

/** lm_catalog_set_add: adds @catalog and takes ownership of it. A higher @priority
 * hides a lower one; catalogs of equal priority are combined in the order in which
 * they were added. */
void lm_catalog_set_add (LmCatalogSet *set, LmCatalog *catalog, int priority);

/** lm_catalog_set_get_length: returns the number of catalogs. */
guint lm_catalog_set_get_length (const LmCatalogSet *set);
/** lm_catalog_set_get: returns the catalog at @index, highest priority first. Owned by @set. */
const LmCatalog *lm_catalog_set_get (const LmCatalogSet *set, guint index);

/* A layer of one of the catalogs. */
typedef struct
{
  guint catalog; /* index for lm_catalog_set_get() */
  guint layer;   /* index for lm_catalog_load_layer() */
} LmLayerRef;

/** lm_catalog_set_find_hiding: returns the catalog that would hide layers called @name in one of the
 * priority @priority; NULL if there is none. Owned by @set. */
const LmCatalog *lm_catalog_set_find_hiding (const LmCatalogSet *set, const char *name, int priority);

/** lm_catalog_set_find_name: appends an LmLayerRef to @refs for each visible layer
 * called @name, in all versions. */
void lm_catalog_set_find_name (const LmCatalogSet *set, const char *name, GArray *refs);

/** lm_catalog_set_find_provided: like lm_catalog_set_find_name(), for layers that provide @name. */
void lm_catalog_set_find_provided (const LmCatalogSet *set, const char *name, GArray *refs);

/** lm_catalog_set_is_visible: whether the layer is not hidden by a catalog of higher priority. */
gboolean lm_catalog_set_is_visible (const LmCatalogSet *set, LmLayerRef ref);

/** lm_catalog_set_load_layer: returns the layer with the URLs of all catalogs,
 * newly allocated. Its source belongs to the set, which must outlive it. */
LmLayer *lm_catalog_set_load_layer (const LmCatalogSet *set, LmLayerRef ref);

/** lm_catalog_set_add_urls: appends to the URLs of @blob those that the catalogs
 * list for the file with its kind and digest, hidden or not. For a kernel or
 * initrd, searches all layers. */
void lm_catalog_set_add_urls (const LmCatalogSet *set, LmBlob *blob);

/** lm_catalog_set_load_layers: returns all visible layers (LmLayer) in the order of
 * their groups, then by name, newest version first. Newly allocated, as for
 * lm_catalog_set_load_layer(). */
GPtrArray *lm_catalog_set_load_layers (const LmCatalogSet *set);

/** lm_catalog_set_load_groups: returns all groups (LmGroup) in order, newly
 * allocated; if several catalogs define a group, the one with the highest priority
 * counts. */
GPtrArray *lm_catalog_set_load_groups (const LmCatalogSet *set);

/** lm_catalog_set_declares_group: whether the catalog at @index itself defines the group @name. */
gboolean lm_catalog_set_declares_group (const LmCatalogSet *set, guint index, const char *name);

/** lm_catalog_set_suggest: returns the layer name that is most similar to @name,
 * which must be a valid name; NULL if none is similar. Newly allocated. */
char *lm_catalog_set_suggest (const LmCatalogSet *set, const char *name);
