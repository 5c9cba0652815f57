/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A catalog: what layers one source has. It is read from YAML or JSON (the
 * form: catalog.schema.json) and kept as its index: one compact block of bytes
 * with hash tables of names and digests, which can be written to a file and mapped
 * again. Immutable; once made, safe to read from several threads. */
#include "catalog/layer.h"

typedef enum
{
  LM_CATALOG_ERROR_INVALID,     /* the text says something a catalog cannot say */
  LM_CATALOG_ERROR_UNSUPPORTED, /* a catalog of another version than 1 */
  LM_CATALOG_ERROR_CORRUPT,     /* an index that cannot be used: parse the text again */
  LM_CATALOG_ERROR_STALE,       /* an index of something else: likewise */
} LmCatalogError;

#define LM_CATALOG_ERROR lm_catalog_error_quark ()
GQuark lm_catalog_error_quark (void);

typedef struct _LmCatalog LmCatalog;

/** lm_catalog_parse: reads the @size bytes at @text. @source is the name the
 * user knows the catalog by (copied). @base_url is where the text came from
 * (file, http or https), and begins every message, a file: URL as a path.
 * @asked_url is where it was asked for, if a redirect led elsewhere (else equal, or
 * NULL): a relative URL in the text stands for two mirrors, the one beside @asked_url
 * first, and each host has the credentials of whichever of the two is its own
 * (lm_url_inherit_credentials()). A catalog that came over the network cannot
 * name local files. What is odd but harmless is added to @warnings as char *
 * (may be NULL; made by the caller with g_free as free function).
 * Errors: LM_CATALOG_ERROR, LM_YAML_ERROR. */
LmCatalog *lm_catalog_parse (const char *source, const char *asked_url, const char *base_url, const char *text,
                             gsize size, GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_catalog_serialize: the index, for lm_catalog_load() by this version of lamina
 * on this kind of machine. @stamp is any text that tells this state of the source
 * from others (time and size of the text, say). */
GBytes *lm_catalog_serialize (const LmCatalog *catalog, const char *stamp);

/** lm_catalog_load: a catalog from its index, which it checks in full
 * and keeps a reference on (map the file: g_mapped_file_new, and replace it
 * only by rename). Errors: LM_CATALOG_ERROR_STALE when it was made with
 * another @asked_url, @base_url or @stamp or by another version, else
 * LM_CATALOG_ERROR_CORRUPT. */
LmCatalog *lm_catalog_load (GBytes *index, const char *source, const char *asked_url, const char *base_url,
                            const char *stamp, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void lm_catalog_free (LmCatalog *catalog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCatalog, lm_catalog_free)

/** lm_catalog_has_secrets: whether a URL in its text has credentials (base/url.h). */
gboolean lm_catalog_has_secrets (const LmCatalog *catalog);

/** lm_catalog_get_source: the name that the user knows it by; owned by the catalog. */
const char *lm_catalog_get_source (const LmCatalog *catalog);

guint lm_catalog_get_n_groups (const LmCatalog *catalog);
guint lm_catalog_get_n_layers (const LmCatalog *catalog);

/** lm_catalog_load_group: the group at @index, in the catalog's order; owned by the caller. */
LmGroup *lm_catalog_load_group (const LmCatalog *catalog, guint index);

/** lm_catalog_load_layer: the layer at @index with all its builds; owned by
 * the caller, but for its source: the catalog must outlive it. */
LmLayer *lm_catalog_load_layer (const LmCatalog *catalog, guint index);

/* What a search comes to when there is no (further) hit. */
#define LM_CATALOG_NONE G_MAXUINT32

/** lm_catalog_find_name: the first layer called @name; further ones by
 * lm_catalog_find_name_next(). LM_CATALOG_NONE ends. */
guint lm_catalog_find_name (const LmCatalog *catalog, const char *name);
guint lm_catalog_find_name_next (const LmCatalog *catalog, guint layer);

/** lm_catalog_find_provided: all layers that have @name in their provides
 * (not those that are called so), added to @layers, an array of guint. */
void lm_catalog_find_provided (const LmCatalog *catalog, const char *name, GArray *layers);

/** lm_catalog_find_build: the build whose file has @digest. Its number is one
 * among all builds of the catalog, for lm_catalog_get_build(). */
guint lm_catalog_find_build (const LmCatalog *catalog, const LmDigest *digest);

/* A build without its URLs, as a search wants it. */
typedef struct
{
  const LmDigest *digest;
  const LmDigest *parent; /* NULL: a base */
  guint64 size;
  guint layer;
} LmCatalogBuild;

/** lm_catalog_get_build: the build numbered @build. */
LmCatalogBuild lm_catalog_get_build (const LmCatalog *catalog, guint build);

/** lm_catalog_get_builds: the numbers of a layer's builds: *out_n of them,
 * from the one returned. */
guint lm_catalog_get_builds (const LmCatalog *catalog, guint layer, guint *out_n);

/** lm_catalog_get_build_urls: the absolute URLs of a build; newly allocated. */
char **lm_catalog_get_build_urls (const LmCatalog *catalog, guint build);

/* Owned by the catalog. */
const char *lm_catalog_get_layer_name (const LmCatalog *catalog, guint layer);
const char *lm_catalog_get_layer_version (const LmCatalog *catalog, guint layer);
