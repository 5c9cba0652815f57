/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A catalog: the layers that a source offers. It is parsed from YAML or JSON (the
 * format is described by catalog.schema.json) and kept as its index: one compact
 * block of bytes with hash tables of names and digests, which can be written to a
 * file and read again. A catalog is immutable and can be read by several threads. */
#include "catalog/layer.h"

typedef enum
{
  LM_CATALOG_ERROR_INVALID,     /* the text is not a valid catalog */
  LM_CATALOG_ERROR_UNSUPPORTED, /* the format version of the catalog is not 1 */
  LM_CATALOG_ERROR_CORRUPT,     /* the index is damaged; parse the text again */
  LM_CATALOG_ERROR_STALE,       /* the index belongs to another text or program version; parse the text again */
} LmCatalogError;

#define LM_CATALOG_ERROR lm_catalog_error_quark ()
GQuark lm_catalog_error_quark (void);

typedef struct _LmCatalog LmCatalog;

/* The base URL for a catalog whose files are nowhere but in the cache, perhaps. URLs that
 * are relative to it are not among the URLs of a blob. The name never exists (RFC 2606). */
#define LM_CATALOG_NOWHERE "https://archive.invalid/"

/** lm_catalog_parse: parses the @size bytes at @text. @source is the name by which
 * the user knows the catalog (copied). @base_url is the URL that the text came from
 * (file, http or https); messages begin with it, a file URL as a path. @requested_url
 * is the URL that was requested, if a redirect led elsewhere (otherwise equal to
 * @base_url, or NULL). A relative URL in the text then stands for two mirrors,
 * first the one relative to @requested_url; each is given the credentials of whichever
 * of the two URLs has its host (lm_url_inherit_credentials()). A catalog that came
 * over the network must not refer to local files. Warnings about harmless problems
 * are appended to @warnings as char * (may be NULL; created by the caller with
 * g_free() as free function). Errors: LM_CATALOG_ERROR, LM_YAML_ERROR. */
LmCatalog *lm_catalog_parse (const char *source, const char *requested_url, const char *base_url, const char *text,
                             gsize size, GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_catalog_parse_own: likewise parses @text, which this program made for a catalog whose files are nowhere but in
 * the cache. Messages say what is wrong, but not where in the text. Errors: as for lm_catalog_parse(). */
LmCatalog *lm_catalog_parse_own (const char *source, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_catalog_new_unbuilt: returns a catalog called @source of @layers (LmLayer) that have no
 * builds yet, and of @groups (LmGroup). Errors: as for lm_catalog_parse(). */
LmCatalog *lm_catalog_new_unbuilt (const char *source, const GPtrArray *groups, const GPtrArray *layers, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_catalog_serialize: returns the index for lm_catalog_load() by the same
 * version of lamina on the same kind of host. @stamp is any text that distinguishes
 * this state of the source from others, for example time and size of the text. */
GBytes *lm_catalog_serialize (const LmCatalog *catalog, const char *stamp);

/** lm_catalog_load: creates a catalog from its index, which it checks completely
 * and of which it keeps a reference. Errors:
 * LM_CATALOG_ERROR_STALE if it was made with a different @requested_url, @base_url or
 * @stamp or by another version of lamina, otherwise LM_CATALOG_ERROR_CORRUPT. */
LmCatalog *lm_catalog_load (GBytes *index, const char *source, const char *requested_url, const char *base_url,
                            const char *stamp, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_catalog_free: frees @catalog; NULL is ignored. */
void lm_catalog_free (LmCatalog *catalog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCatalog, lm_catalog_free)

/** lm_catalog_has_secrets: whether any URL in the catalog contains credentials (base/url.h). */
gboolean lm_catalog_has_secrets (const LmCatalog *catalog);

/** lm_catalog_get_source: returns the name by which the user knows the catalog. Owned by @catalog. */
const char *lm_catalog_get_source (const LmCatalog *catalog);

/** lm_catalog_get_name: returns the name that the catalog has itself; NULL if it has
 * none. Owned by @catalog. */
const char *lm_catalog_get_name (const LmCatalog *catalog);

/** lm_catalog_get_n_groups: returns the number of groups. */
guint lm_catalog_get_n_groups (const LmCatalog *catalog);
/** lm_catalog_get_n_layers: returns the number of layers. */
guint lm_catalog_get_n_layers (const LmCatalog *catalog);

/** lm_catalog_load_group: returns the group at @index, in catalog order; newly allocated. */
LmGroup *lm_catalog_load_group (const LmCatalog *catalog, guint index);

/** lm_catalog_load_layer: returns the layer at @index with all its builds, newly
 * allocated. Its source belongs to the catalog, which must outlive it. */
LmLayer *lm_catalog_load_layer (const LmCatalog *catalog, guint index);

/* What the functions below return when there is no match, or no further one. */
#define LM_CATALOG_NONE G_MAXUINT32

/** lm_catalog_find_name: returns the index of the first layer called @name, or
 * LM_CATALOG_NONE. */
guint lm_catalog_find_name (const LmCatalog *catalog, const char *name);
/** lm_catalog_find_name_next: returns the index of the next layer with the name of
 * @layer, or LM_CATALOG_NONE. */
guint lm_catalog_find_name_next (const LmCatalog *catalog, guint layer);

/** lm_catalog_find_provided: appends the index of each layer whose "provides"
 * contains @name (not of layers called @name) to @layers, an array of guint. */
void lm_catalog_find_provided (const LmCatalog *catalog, const char *name, GArray *layers);

/** lm_catalog_find_build: returns the number of the build whose file has @digest,
 * or LM_CATALOG_NONE. Builds are numbered throughout the catalog, see
 * lm_catalog_get_build(). */
guint lm_catalog_find_build (const LmCatalog *catalog, const LmDigest *digest);

/* A build without its URLs. Valid as long as the catalog. */
typedef struct
{
  const LmDigest *digest;
  const LmDigest *parent; /* NULL for a base */
  guint64 size;
  guint layer;
} LmCatalogBuild;

/** lm_catalog_get_build: returns the build with the number @build. */
LmCatalogBuild lm_catalog_get_build (const LmCatalog *catalog, guint build);

/** lm_catalog_get_builds: returns the number of the first build of @layer; its
 * *out_n builds have consecutive numbers. */
guint lm_catalog_get_builds (const LmCatalog *catalog, guint layer, guint *out_n);

/** lm_catalog_load_build: returns a build with all that is known about it; newly allocated. */
LmBuild *lm_catalog_load_build (const LmCatalog *catalog, guint build);

/** lm_catalog_get_build_urls: returns the absolute URLs of a build; newly allocated. */
char **lm_catalog_get_build_urls (const LmCatalog *catalog, guint build);

/* Name, version and group of a layer; owned by the catalog. */
const char *lm_catalog_get_layer_name (const LmCatalog *catalog, guint layer);
const char *lm_catalog_get_layer_version (const LmCatalog *catalog, guint layer);
const char *lm_catalog_get_layer_group (const LmCatalog *catalog, guint layer);

/* Digest and size in bytes of the kernel and the initrd of a layer; NULL if it has
 * none. Owned by the catalog. */
const LmDigest *lm_catalog_get_layer_kernel (const LmCatalog *catalog, guint layer, guint64 *out_size);
const LmDigest *lm_catalog_get_layer_initrd (const LmCatalog *catalog, guint layer, guint64 *out_size);
