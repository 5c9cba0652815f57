/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What people call the files of the cache: names and versions of layers, from the
 * catalogs and, for what no catalog lists any more, from the records of machines;
 * packages, from what builds have noted in lamina.db;
 * and the files that a word of the user stands for. */
#include "cache/cache.h"
#include "ops/host.h"

typedef enum
{
  LM_LAYER_NAMES_ERROR_UNKNOWN,   /* a word stands for no cached file */
  LM_LAYER_NAMES_ERROR_AMBIGUOUS, /* a word stands for several */
} LmLayerNamesError;

#define LM_LAYER_NAMES_ERROR lm_layer_names_error_quark ()
GQuark lm_layer_names_error_quark (void);

typedef struct _LmLayerNames LmLayerNames;

/* The strings belong to the LmLayerNames. */
typedef struct
{
  const char *name;    /* of the layer or package, or of the layer whose kernel or initrd it is; NULL if unknown */
  const char *version; /* NULL if unknown; likewise the next two */
  const char *group;
  const char *source;  /* the catalog that lists it now, or the one in a record */
  const char *part;    /* "kernel" or "initrd" of the layer; NULL for a layer or package, or if unknown */
  gboolean package;    /* it is a package that layers were built of */
  gboolean listed;     /* a catalog lists it now; otherwise this comes from a record */
  guint64 size;        /* its size in bytes, according to the same; 0 if unknown */
} LmLayerName;

/** lm_layer_names_load: returns the names of @entries (LmCacheEntry), of which it
 * keeps a reference, according to the catalogs of @host. The records of its machines
 * are read only if no catalog lists one of them, and so are the noted packages; those
 * that cannot be read are reported to its warning function. Uses the network only for extra
 * catalogs that are URLs. Errors: those of lm_source_load_all() and
 * lm_machine_list(). */
LmLayerNames *lm_layer_names_load (const LmHost *host, GPtrArray *entries, GCancellable *cancellable,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_layer_names_free: frees @names; NULL is ignored. */
void lm_layer_names_free (LmLayerNames *names);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLayerNames, lm_layer_names_free)

/** lm_layer_names_find: finds the name of the file with @kind and @digest. If several
 * catalogs list it, that of the highest priority counts. Returns FALSE, with all
 * members of *out zero, if it has none. */
gboolean lm_layer_names_find (const LmLayerNames *names, LmBlobKind kind, const LmDigest *digest, LmLayerName *out);

/** lm_layer_names_get_kind: returns what the file with @kind and @digest is: "layer", "package" or "blob".
 * @names may be NULL. */
const char *lm_layer_names_get_kind (const LmLayerNames *names, LmBlobKind kind, const LmDigest *digest);

/** lm_layer_names_list_packages: returns the packages in the layer with @digest and those below
 * it, as for lm_contents_of_build(); NULL if the catalogs do not record them. */
char **lm_layer_names_list_packages (const LmLayerNames *names, const LmDigest *digest);

/** lm_layer_names_shorten: returns the first digits of @digest, at least twelve and
 * so many that they differ for all entries; newly allocated. */
char *lm_layer_names_shorten (const LmLayerNames *names, const LmDigest *digest);

/** lm_layer_names_describe: returns "nginx 1.24 (3f2ac01b77de)", "kernel of debian
 * 12 (...)", "package nginx-core 1.24-1 (...)", or only the shortened digest, for messages; newly allocated. */
char *lm_layer_names_describe (const LmLayerNames *names, LmBlobKind kind, const LmDigest *digest);

/** lm_layer_names_resolve: returns those of the entries (LmCacheEntry) that @word
 * stands for, at least one: a selection "[group=]name[@version]" stands for layers,
 * and "sha256:" with a digest or its beginning, or the first four or more digits of
 * one, for any file. A whole digest stands for nothing else. Unless @several is
 * set, more than one are refused, and the message lists them. Errors:
 * LM_LAYER_NAMES_ERROR. */
GPtrArray *lm_layer_names_resolve (const LmLayerNames *names, const char *word, gboolean several,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
