/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Catalog entries that are carried to another host together with the files. There,
 * neither a path of this host nor anybody's password may be in them, and each file
 * is found beside the catalog, under the name that it also has in a state directory:
 *
 *   catalog.json   layers/sha256-<hex>.qcow2   blobs/sha256-<hex> */
#include "catalog/catalog-set.h"

#define LM_PORTABLE_CATALOG "catalog.json"

/** lm_portable_file_name: returns the name of a file relative to the catalog; newly allocated. */
char *lm_portable_file_name (LmBlobKind kind, const LmDigest *digest);

/** lm_portable_parse: parses a portable catalog, which is untrusted: it must not
 * refer to local files. Relative URLs in it lead nowhere (LM_CATALOG_NOWHERE). Messages call it @shown.
 * Errors: those of lm_catalog_parse(). */
LmCatalog *lm_portable_parse (GBytes *text, const char *shown, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_portable_to_json: returns the catalog called @name (NULL for none) of @layers
 * (LmLayer), with those of @groups (LmGroup) that they are in; a group that is
 * missing there forbids nothing. First removes from the files of @layers all URLs that are
 * not for the network or contain credentials, and adds their relative names. Newly
 * allocated. */
char *lm_portable_to_json (const char *name, const GPtrArray *groups, const GPtrArray *layers);

/** lm_portable_merge: returns the catalog called @name of the layers of @one (which
 * may be NULL) and of @other, which need not be portable; newly allocated. For a
 * layer that is in both, everything but the builds comes from @other. A file that is
 * in both under different names belongs to the layer of @other; what only one of them
 * records about its contents is kept. If @replace is
 * set, a build of @one gives way to one of the same layer on the same parent in @other.
 * Merging @other again changes nothing. */
char *lm_portable_merge (const char *name, const LmCatalog *one, const LmCatalog *other, gboolean replace);

/* Whether the file is there. */
typedef gboolean (*LmPortableFind) (gpointer user_data, LmBlobKind kind, const LmDigest *digest);

/** lm_portable_keep_available: returns the portable @catalog, of which it takes ownership,
 * without the builds that have no URL and whose file, kernel or initrd @find does not find.
 * Errors: those of lm_catalog_parse(). */
LmCatalog *lm_portable_keep_available (LmCatalog *catalog, LmPortableFind find, gpointer user_data,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
