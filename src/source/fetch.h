/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* One transfer of a catalog and what becomes of it. Transfers hold no lock: the
 * source is locked afterwards, and what is kept is compared with what is there
 * then. Private to source. */
#include "catalog/catalog.h"
#include "source/source.h"

typedef struct
{
  GBytes *body;       /* NULL: the copy at hand is still what the server has */
  char *asked_etag;   /* of that copy; NULL: none was at hand */
  char *etag;         /* of @body; NULL: none */
  char *base_url;     /* after redirects; NULL without @body */
  LmCatalog *catalog; /* read from @body; NULL without it */
  gint64 time;        /* seconds since 1970 */
} LmSourceFetch;

void lm_source_fetch_free (LmSourceFetch *fetch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSourceFetch, lm_source_fetch_free)

/** lm_source_fetch_run: fetches and reads the catalog of @source; @dir is where
 * its copy is looked for, called @shown in messages. With @is_fallback, there is a copy to fall back on: then it
 * tries twice within half a minute, else as often as for a layer, within ten
 * minutes. Blocks. Errors: LM_SOURCE_ERROR_FETCH, G_IO_ERROR (NO_SPACE, CANCELLED). */
LmSourceFetch *lm_source_fetch_run (const char *dir, const LmSource *source, const char *shown, gboolean is_fallback,
                                    GPtrArray *warnings, GCancellable *cancellable,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_fetch_keep: makes @fetch the copy of @source, which was read from
 * its record under the lock that is held now, or is new. *out_changed (may be
 * NULL): whether the copy is another one than before. */
gboolean lm_source_fetch_keep (const LmSourceFetch *fetch, const char *dir, LmSource *source, const char *shown,
                               gboolean *out_changed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
