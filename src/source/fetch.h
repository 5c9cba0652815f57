/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* One transfer of a catalog and its result. No lock is held during a transfer: the
 * source is locked afterwards, and the result is compared with what is there by
 * then. Private to source. */
#include "catalog/catalog.h"
#include "source/source.h"

typedef struct
{
  GBytes *body;       /* NULL if the copy is still current */
  char *sent_etag;    /* of that copy; NULL if there was none */
  char *etag;         /* of body; NULL if none */
  char *base_url;     /* after redirects; NULL without body */
  LmCatalog *catalog; /* parsed from body; NULL without it */
  gint64 time;        /* seconds since 1970 */
} LmSourceFetch;

/** lm_source_fetch_free: frees @fetch; NULL is ignored. */
void lm_source_fetch_free (LmSourceFetch *fetch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSourceFetch, lm_source_fetch_free)

/** lm_source_fetch_run: fetches and parses the catalog of @source, which messages
 * call @shown. @dir is the directory with its copy. If @is_fallback is set, the
 * caller can use a copy instead; then it makes two attempts within half a minute,
 * otherwise as many as for a layer within ten minutes. Blocks. Errors:
 * LM_SOURCE_ERROR_FETCH, G_IO_ERROR (NO_SPACE, CANCELLED). */
LmSourceFetch *lm_source_fetch_run (const char *dir, const LmSource *source, const char *shown, gboolean is_fallback,
                                    GPtrArray *warnings, GCancellable *cancellable,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_fetch_keep: makes the result of @fetch the copy of @source, which is
 * new or was read from its record under the lock that is still held. *out_changed
 * (which may be NULL) is whether the copy differs from the previous one. */
gboolean lm_source_fetch_keep (const LmSourceFetch *fetch, const char *dir, LmSource *source, const char *shown,
                               gboolean *out_changed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
