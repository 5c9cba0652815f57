/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Catalog sources: where catalogs come from, and the last good copy of each.
 * catalogs/NAME.json is the record of a source, NAME.catalog the copy as it was
 * served, NAME.index its index, which is rebuilt whenever it is not current. Only
 * lm_source_add(), lm_source_update() and extra URLs in lm_source_load_all() use
 * the network. */
#include "catalog/catalog-set.h"
#include <gio/gio.h>

#define LM_SOURCE_PRIORITY_DEFAULT 100
#define LM_SOURCE_PRIORITY_MAX 1000
/* The source of what this host made itself, see source/local.h. */
#define LM_LOCAL_NAME "local"

typedef struct
{
  char *name;
  char *url;      /* absolute; file:// for a file */
  int priority;
  char *base_url; /* URL of the copy after redirects */
  char *etag;     /* NULL if none */
  gint64 fetched; /* when the copy was last known to be current; seconds since 1970, UTC */
  gboolean imported; /* the copy came out of the archive @url, and cannot be fetched again */
} LmSource;

typedef enum
{
  LM_SOURCE_ERROR_NAME,      /* not a valid name of a source, or that of the local one */
  LM_SOURCE_ERROR_EXISTS,    /* another source has the name */
  LM_SOURCE_ERROR_NOT_FOUND, /* no such source */
  LM_SOURCE_ERROR_FETCH,     /* the catalog could not be fetched or parsed */
  LM_SOURCE_ERROR_CORRUPT,   /* the record of a source is not valid */
} LmSourceError;

#define LM_SOURCE_ERROR lm_source_error_quark ()
GQuark lm_source_error_quark (void);

/* A function that is called with a text for the user when another process is waited for. */
typedef struct
{
  void (*func) (gpointer user_data, const char *text);
  gpointer user_data;
} LmSourceStatus;

/** lm_source_free: frees @source; NULL is ignored. */
void lm_source_free (LmSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSource, lm_source_free)

/** lm_source_is_local: whether @source is that of source/local.h. */
gboolean lm_source_is_local (const LmSource *source);

/** lm_source_new: returns a source that has not been fetched yet. */
LmSource *lm_source_new (const char *name, const char *url);

/** lm_source_list: returns all sources (LmSource), by priority, highest first, then
 * by name. A source whose record is unusable causes a warning (char *) in
 * @warnings, which may be NULL. Does not use the network. Errors: G_IO_ERROR, also
 * if a record cannot be read now. */
GPtrArray *lm_source_list (const char *state_dir, GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_add: fetches and checks the catalog, then stores the source. Adding
 * the same source again refreshes it. Warnings about the catalog (char *) are
 * appended to @warnings. Like the next two functions, waits for another process
 * that is changing the source, at most a minute (LM_LOCK_ERROR_TIMED_OUT), and says
 * so to @status, which may be NULL. */
gboolean lm_source_add (const char *state_dir, const char *name, const char *url_or_file, int priority,
                        GPtrArray *warnings, const LmSourceStatus *status, GCancellable *cancellable,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef enum
{
  LM_SOURCE_IMPORT_LISTED,    /* a source that was added lists everything already, and is not changed */
  LM_SOURCE_IMPORT_UNCHANGED, /* so does one that was imported */
  LM_SOURCE_IMPORT_CHANGED,   /* entries were added to one that was imported */
  LM_SOURCE_IMPORT_NEW,
} LmSourceImport;

/** lm_source_import: makes the entries of @catalog, which came with files out of
 * the archive @url, a part of the source @name: a new one, or one that was imported
 * before. If @dry_run is set, only checks whether that is possible now. Waits as
 * lm_source_add() does. Errors: LM_SOURCE_ERROR_NAME, LM_SOURCE_ERROR_EXISTS (a
 * source that was added has the name and does not list the layers), G_IO_ERROR. */
gboolean lm_source_import (const char *state_dir, const char *name, const LmCatalog *catalog, const char *url,
                           gboolean dry_run, LmSourceImport *out_result, const LmSourceStatus *status,
                           GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_update: fetches a catalog again; if that fails
 * (LM_SOURCE_ERROR_FETCH), the last good copy is kept. *out_changed may be NULL. One
 * that was imported does not change. */
gboolean lm_source_update (const char *state_dir, const char *name, gboolean *out_changed, GPtrArray *warnings,
                           const LmSourceStatus *status, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_remove: removes a source and its copy; nothing is removed if
 * @cancellable is cancelled. */
gboolean lm_source_remove (const char *state_dir, const char *name, const LmSourceStatus *status,
                           GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_remove_unused_locks: returns the paths (char *) of the locks of sources
 * that do not exist, which killed runs left, and removes them unless @dry_run is set.
 * A lock that a process holds is not one of them. Errors are ignored. */
GPtrArray *lm_source_remove_unused_locks (const char *state_dir, gboolean dry_run);

/** lm_source_url_of: returns the absolute URL for a URL or file as given by the
 * user; newly allocated. Errors: LM_SOURCE_ERROR_FETCH. */
char *lm_source_url_of (const char *url_or_file, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_load_all: returns the catalogs of all sources, from their copies, and
 * with precedence over them those given in @extra (URLs or files; NULL if none). An
 * extra file is read in place, with an index if one can be kept; an extra URL is
 * fetched, or its last good copy is used with a warning. All this works even if the
 * state directory cannot be written. A source whose record or copy is unusable
 * causes a warning; one that cannot be read now is an error. */
LmCatalogSet *lm_source_load_all (const char *state_dir, const char *const *extra, GPtrArray *warnings,
                                  GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_load_extra: returns only the catalogs given in @extra. */
LmCatalogSet *lm_source_load_extra (const char *state_dir, const char *const *extra, GPtrArray *warnings, GCancellable *cancellable,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
