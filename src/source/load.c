/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The catalogs of a run: those of the sources, and those given for this run only. */
#include "config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/state-dir.h"
#include "base/trace.h"
#include "base/url.h"
#include "source/fetch.h"
#include "source/file-index.h"
#include "source/local.h"
#include "source/record.h"
#include "store/store.h"

#include <string.h>

#define EXTRA_PRIORITY (LM_SOURCE_PRIORITY_MAX + 1)

/* --catalog FILE: read in place. It may be a pipe, such as one from <(COMMAND) in a
 * shell, if it was given as a path; a file:// URL must be that of a regular file. */
static LmCatalog *
load_catalog_file (const char *state_dir, const char *shown, const char *url, gboolean given_as_url, GPtrArray *warnings,
                   GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *path = g_filename_from_uri (url, NULL, &failure);
  if (path != NULL && given_as_url && g_file_test (path, G_FILE_TEST_EXISTS)
      && !g_file_test (path, G_FILE_TEST_IS_REGULAR | G_FILE_TEST_IS_DIR))
    return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH,
                          "catalog: %s is not a regular file; give the path of a pipe without file://", path);
  LmCatalog *catalog = path ? lm_source_file_index_load (state_dir, path, shown, url, warnings, cancellable, &failure) : NULL;
  if (catalog != NULL)
    return catalog;
  if (failure->domain != LM_SOURCE_ERROR && !g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH, "catalog: %s", failure->message);
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

static char *
make_url_name (const char *url)
{
  LmDigest digest = lm_digest_of_text (url);
  return lm_digest_file_name (&digest, NULL);
}

/* Finds the record of a URL. *out_source is NULL also if the record is damaged,
 * because it only saves a transfer. */
static gboolean
find_url_record (const char *dir, const char *name, LmSource **out_source, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (lm_source_record_find (dir, name, out_source, &failure)
      || g_error_matches (failure, LM_SOURCE_ERROR, LM_SOURCE_ERROR_CORRUPT))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Keeps what was fetched for runs without network, if it can be written. */
static gboolean
keep_catalog_url (const LmSourceFetch *fetch, const char *state_dir, const char *dir, const char *url,
                  const char *shown, GCancellable *cancellable, GError **error)
{
  g_autofree char *name = make_url_name (url);
  /* Not readable by others, who could otherwise check guessed passwords against the names. */
  g_autoptr (LmLock) lock = lm_source_record_lock (state_dir, dir, 0700, name, 0, cancellable, error);
  if (lock == NULL)
    return FALSE;
  g_autoptr (LmSource) source = NULL;
  if (!find_url_record (dir, name, &source, error))
    return FALSE;
  if (source == NULL)
    source = lm_source_new (name, url);
  return lm_source_fetch_keep (fetch, dir, source, shown, NULL, error);
}

/* --catalog URL: fetched now, or its last good copy. */
static LmCatalog *
load_catalog_url (const char *state_dir, const char *url, const char *shown, GPtrArray *warnings,
                  GCancellable *cancellable, GError **error)
{
  g_autofree char *parent = lm_source_record_dir (state_dir);
  g_autofree char *dir = g_build_filename (parent, "urls", NULL);
  g_autofree char *name = make_url_name (url);
  g_autoptr (LmSource) source = NULL;
  if (!find_url_record (dir, name, &source, error))
    return NULL;
  gboolean known = source != NULL;
  if (!known)
    source = lm_source_new (name, url);
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmSourceFetch) fetch = lm_source_fetch_run (dir, source, shown, known, warnings, cancellable, &failure);
  if (fetch == NULL && (!known || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED)))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (fetch == NULL)
    g_ptr_array_add (warnings, g_strdup_printf ("%s; using its last good copy", failure->message));
  else if (!keep_catalog_url (fetch, state_dir, dir, url, shown, cancellable, &failure))
    {
      if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return NULL;
        }
      lm_trace (LM_TRACE_CACHE, "cannot keep a copy of %s: %s", shown, failure->message);
    }
  if (fetch != NULL && fetch->catalog != NULL)
    return g_steal_pointer (&fetch->catalog);
  return lm_source_record_catalog (dir, source, shown, NULL, error);
}

static gboolean
add_extra_catalog (LmCatalogSet *set, const char *state_dir, const char *text, GPtrArray *warnings,
                   GCancellable *cancellable, GError **error)
{
  g_autofree char *url = lm_source_url_of (text, error);
  if (url == NULL)
    return FALSE;
  gboolean is_url = lm_store_knows (text);
  g_autofree char *shown = is_url ? lm_url_redact (text) : g_strdup (text);
  g_autoptr (GError) failure = NULL;
  LmCatalog *catalog = g_ascii_strncasecmp (url, "file:", 5) == 0
                         ? load_catalog_file (state_dir, shown, url, is_url, warnings, cancellable, &failure)
                         : load_catalog_url (state_dir, url, shown, warnings, cancellable, &failure);
  if (catalog != NULL)
    lm_catalog_set_add (set, catalog, EXTRA_PRIORITY);
  else if (failure->domain == LM_SOURCE_ERROR || failure->domain == G_IO_ERROR || failure->domain == LM_HTTP_ERROR)
    g_propagate_error (error, g_steal_pointer (&failure));
  else
    return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH, "catalog source %s: %s", shown, failure->message);
  return catalog != NULL;
}

/* Whether an error only says that the copy is missing or unusable. */
static gboolean
can_be_skipped (const GError *failure)
{
  return (failure->domain != G_IO_ERROR && failure->domain != G_FILE_ERROR)
         || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
         || lm_state_dir_is_unusable (failure);
}

LmCatalogSet *
lm_source_load_extra (const char *state_dir, const char *const *extra, GPtrArray *warnings, GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
  for (const char *const *text = extra; text && *text; text++)
    if (!add_extra_catalog (set, state_dir, *text, warnings, cancellable, error))
      return NULL;
  return g_steal_pointer (&set);
}

LmCatalogSet *
lm_source_load_all (const char *state_dir, const char *const *extra, GPtrArray *warnings, GCancellable *cancellable,
                    GError **error)
{
  g_autoptr (LmCatalogSet) set = lm_source_load_extra (state_dir, extra, warnings, cancellable, error);
  if (set == NULL)
    return NULL;
  g_autofree char *dir = lm_source_record_dir (state_dir);
  g_autoptr (GPtrArray) sources = lm_source_list (state_dir, warnings, error);
  if (sources == NULL)
    return NULL;
  for (guint i = 0; i < sources->len; i++)
    {
      const LmSource *source = g_ptr_array_index (sources, i);
      g_autoptr (GError) failure = NULL;
      LmCatalog *catalog = lm_source_record_catalog (dir, source, source->name, NULL, &failure);
      if (catalog != NULL && lm_source_is_local (source))
        catalog = lm_local_keep_available (state_dir, catalog, &failure);
      if (catalog != NULL)
        lm_catalog_set_add (set, catalog, source->priority);
      else if (can_be_skipped (failure))
        g_ptr_array_add (warnings, g_strdup_printf ("catalog source %s is skipped: %s", source->name,
                                                    failure->message));
      else
        {
          g_propagate_prefixed_error (error, g_steal_pointer (&failure), "catalog source %s: ", source->name);
          return NULL;
        }
    }
  return g_steal_pointer (&set);
}
