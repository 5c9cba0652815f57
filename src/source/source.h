/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Catalog sources: where catalogs come from, and the last good copy of each.
 * catalogs/NAME.json is the source, NAME.catalog the copy as it was served,
 * NAME.index its index (made anew whenever it does not fit).
 * Only lm_source_add() and lm_source_update() use the network. */
#include "catalog/catalog-set.h"
#include <gio/gio.h>

#define LM_SOURCE_PRIORITY_DEFAULT 100
#define LM_SOURCE_PRIORITY_MAX 1000

typedef struct
{
  char *name;
  char *url;      /* absolute; file:// for a file */
  int priority;
  char *base_url; /* where the copy came from, after redirects */
  char *etag;     /* NULL: none */
  gint64 fetched; /* seconds since 1970, UTC; when the copy was last found good */
} LmSource;

typedef enum
{
  LM_SOURCE_ERROR_NAME,      /* no name for a source */
  LM_SOURCE_ERROR_EXISTS,    /* the name is taken by another source */
  LM_SOURCE_ERROR_NOT_FOUND, /* no such source */
  LM_SOURCE_ERROR_FETCH,     /* it could not be fetched or read */
  LM_SOURCE_ERROR_CORRUPT,   /* the record of a source cannot be read */
} LmSourceError;

#define LM_SOURCE_ERROR lm_source_error_quark ()
GQuark lm_source_error_quark (void);

void lm_source_free (LmSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSource, lm_source_free)

/** lm_source_new: a source that has not been fetched. */
LmSource *lm_source_new (const char *name, const char *url);

/** lm_source_list: all sources (LmSource), highest priority first, then by
 * name. One whose record is of no use is a warning (char *; may be NULL). No
 * network. Errors: G_IO_ERROR, also if a record cannot be read just now. */
GPtrArray *lm_source_list (const char *state_dir, GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_add: fetches and checks the catalog, then keeps the source. The
 * same source again is a refresh. @warnings: char *, of the catalog's text. */
gboolean lm_source_add (const char *state_dir, const char *name, const char *url_or_file, int priority,
                        GPtrArray *warnings, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_update: fetches one again; the last good copy stays when that
 * fails (LM_SOURCE_ERROR_FETCH). *out_changed may be NULL. */
gboolean lm_source_update (const char *state_dir, const char *name, gboolean *out_changed, GPtrArray *warnings,
                           GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_remove: forgets a source and its copy; nothing is removed once
 * @cancellable is cancelled. */
gboolean lm_source_remove (const char *state_dir, const char *name, GCancellable *cancellable,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_url_of: the absolute URL for a URL or file as the user gives it;
 * newly allocated. Errors: LM_SOURCE_ERROR_FETCH. */
char *lm_source_url_of (const char *url_or_file, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_load_all: the catalogs of all sources, from their copies, and
 * before them those named in @extra (URLs or files; NULL: none). An extra
 * file is read in place, by an index of it where one can be kept; an extra URL
 * is fetched, its last good copy taken with a warning when it is dead. Nothing of
 * that fails where the state directory cannot be written. A source whose record or copy is of no use is a
 * warning; one that cannot be read just now is an error. */
LmCatalogSet *lm_source_load_all (const char *state_dir, const char *const *extra, GPtrArray *warnings,
                                  GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
