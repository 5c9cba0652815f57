/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "source/fetch.h"
#include "base/error.h"
#include "base/url.h"
#include "source/record.h"
#include "store/store.h"

#include <string.h>

/* Catalogs are small, so a transfer that takes longer makes no progress. */
#define SECONDS 600
#define FALLBACK_SECONDS 30
#define FALLBACK_ATTEMPTS 2

void
lm_source_fetch_free (LmSourceFetch *fetch)
{
  if (fetch == NULL)
    return;
  g_clear_pointer (&fetch->body, g_bytes_unref);
  g_free (fetch->sent_etag);
  g_free (fetch->etag);
  g_free (fetch->base_url);
  lm_catalog_free (fetch->catalog);
  g_free (fetch);
}

/* Propagates an error that is not the fault of the source unchanged. */
static gpointer
throw_fetch_error (const char *shown, const GError *failure, GError **error)
{
  if (failure->domain == LM_SOURCE_ERROR || failure->domain == G_IO_ERROR
      || g_error_matches (failure, LM_HTTP_ERROR, LM_HTTP_ERROR_LOCAL))
    {
      g_propagate_error (error, g_error_copy (failure));
      return NULL;
    }
  return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH, "catalog source %s: %s", shown, failure->message);
}

LmSourceFetch *
lm_source_fetch_run (const char *dir, const LmSource *source, const char *shown, gboolean is_fallback, GPtrArray *warnings,
                     GCancellable *cancellable, GError **error)
{
  g_autoptr (LmSourceFetch) fetch = g_new0 (LmSourceFetch, 1);
  /* If the copy is missing, the answer "not modified" would be useless. */
  fetch->sent_etag = lm_source_record_has_copy (dir, source->name) ? g_strdup (source->etag) : NULL;
  LmStoreRead request = {
    .url = source->url,
    .validator = fetch->sent_etag,
    .max_size = LM_SOURCE_SIZE_MAX,
    .seconds = is_fallback ? FALLBACK_SECONDS : SECONDS,
    .retry.attempts = is_fallback ? FALLBACK_ATTEMPTS : 0,
  };
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmStoreObject) object = lm_store_read (&request, cancellable, &failure);
  if (object == NULL)
    return throw_fetch_error (shown, failure, error);
  fetch->time = g_get_real_time () / G_USEC_PER_SEC;
  if (object->body == NULL)
    return g_steal_pointer (&fetch);
  /* A redirect of a server to itself loses the credentials of the request. */
  fetch->base_url = lm_url_inherit_credentials (source->url, object->url);
  fetch->catalog = lm_source_record_parse (shown, source->url, fetch->base_url, object->body, warnings, &failure);
  if (fetch->catalog == NULL)
    return throw_fetch_error (shown, failure, error);
  fetch->body = g_steal_pointer (&object->body);
  fetch->etag = g_steal_pointer (&object->validator);
  return g_steal_pointer (&fetch);
}

/* Handles the answer that the copy is still current. */
static gboolean
keep_unmodified (const LmSourceFetch *fetch, const char *dir, LmSource *source, const char *shown, GError **error)
{
  /* Another process has fetched a newer one in the meantime. */
  if (g_strcmp0 (source->etag, fetch->sent_etag) != 0)
    return TRUE;
  if (!lm_source_record_has_copy (dir, source->name))
    return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH,
                     "catalog source %s: its copy was removed during the request; try again", shown);
  g_autofree char *base_url = g_steal_pointer (&source->base_url);
  source->base_url = lm_url_inherit_credentials (source->url, base_url);
  source->fetched = fetch->time;
  /* The mode of the copy depends on its contents. Whoever uses a damaged copy gets an error. */
  g_autoptr (LmCatalog) catalog = lm_source_record_catalog (dir, source, shown, NULL, NULL);
  return lm_source_record_save (dir, source, NULL, catalog, error);
}

gboolean
lm_source_fetch_keep (const LmSourceFetch *fetch, const char *dir, LmSource *source, const char *shown, gboolean *out_changed,
                      GError **error)
{
  /* Servers that send no ETag, and files, return the same bytes again. */
  gboolean changed = fetch->body != NULL && !lm_source_record_has (dir, source, fetch->body);
  if (out_changed != NULL)
    *out_changed = changed;
  if (fetch->body == NULL)
    return keep_unmodified (fetch, dir, source, shown, error);
  g_free (source->base_url);
  source->base_url = g_strdup (fetch->base_url);
  g_free (source->etag);
  source->etag = g_strdup (fetch->etag);
  source->fetched = fetch->time;
  return lm_source_record_save (dir, source, changed ? fetch->body : NULL, fetch->catalog, error);
}
