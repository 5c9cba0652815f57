/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "source/source.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "base/url.h"
#include "catalog/portable.h"
#include "catalog/selection.h"
#include "source/fetch.h"
#include "source/record.h"
#include "store/store.h"

#include <string.h>

G_DEFINE_QUARK (lm-source-error-quark, lm_source_error)

char *
lm_source_url_of (const char *url_or_file, GError **error)
{
  if (lm_store_knows (url_or_file))
    return g_strdup (url_or_file);
  g_autofree char *scheme = g_uri_parse_scheme (url_or_file);
  g_autofree char *known = lm_store_list_schemes ();
  g_autofree char *shown = lm_url_redact (url_or_file);
  if (scheme != NULL && strstr (url_or_file, "://") != NULL)
    return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH,
                          "%s: catalogs cannot be fetched with the scheme \"%s\"; use %s", shown, scheme, known);
  g_auto (GStrv) schemes = g_strsplit (known, ", ", -1);
  if (scheme != NULL && g_strv_contains ((const char *const *) schemes, scheme))
    return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH,
                          "%s: a URL must have \"//\" after \"%s:\"; for a file of this name put ./ before it", shown,
                          scheme);
  g_autofree char *path = g_canonicalize_filename (url_or_file, NULL);
  return g_filename_to_uri (path, NULL, error);
}

void
lm_source_free (LmSource *source)
{
  if (source == NULL)
    return;
  g_free (source->name);
  g_free (source->url);
  g_free (source->base_url);
  g_free (source->etag);
  g_free (source);
}

LmSource *
lm_source_new (const char *name, const char *url)
{
  LmSource *source = g_new0 (LmSource, 1);
  source->name = g_strdup (name);
  source->url = g_strdup (url);
  return source;
}

static gboolean
check_source_name (const char *name, GError **error)
{
  if (lm_name_is_valid (name))
    return TRUE;
  g_autofree char *safe = lm_text_escape (name, 100);
  return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_NAME,
                   "\"%s\" is not a valid name for a catalog source; use lower-case letters, digits and + . _ -", safe);
}

/* Removes the lock file if the source does not exist. Returns FALSE. */
static gboolean
remove_unused_lock (const char *dir, const char *name, LmLock *lock)
{
  if (!lm_source_record_has_copy (dir, name))
    lm_lock_remove_file (lock);
  return FALSE;
}

/* Users cannot give a source the name of the local one. */
static gboolean
check_own_name (const char *name, GError **error)
{
  return check_source_name (name, error)
         && (strcmp (name, LM_LOCAL_NAME) != 0
             || lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_NAME,
                          "the catalog source \"%s\" is that of the layers made on this host; choose another name", name));
}

gboolean
lm_source_is_local (const LmSource *source)
{
  return strcmp (source->name, LM_LOCAL_NAME) == 0 && source->imported && strcmp (source->url, LM_CATALOG_NOWHERE) == 0;
}

static int
compare_priority (gconstpointer a, gconstpointer b)
{
  const LmSource *one = *(LmSource *const *) a, *other = *(LmSource *const *) b;
  return one->priority != other->priority ? other->priority - one->priority : strcmp (one->name, other->name);
}

GPtrArray *
lm_source_list (const char *state_dir, GPtrArray *warnings, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_source_free);
  g_autoptr (LmStateDir) catalogs = lm_source_record_open (state_dir, TRUE, error);
  g_autoptr (GPtrArray) files = catalogs ? lm_state_dir_list (catalogs, error) : NULL;
  if (files == NULL)
    {
      g_prefix_error (error, "cannot list catalog sources: ");
      return NULL;
    }
  lm_source_record_sweep (catalogs);
  for (guint i = 0; i < files->len; i++)
    {
      const char *file = g_ptr_array_index (files, i);
      if (!g_str_has_suffix (file, ".json"))
        continue;
      g_autofree char *name = g_strndup (file, strlen (file) - strlen (".json"));
      if (!lm_name_is_valid (name))
        continue;
      g_autoptr (GError) failure = NULL;
      LmSource *source = lm_source_record_load (lm_state_dir_get_path (catalogs), name, &failure);
      if (source != NULL)
        g_ptr_array_add (list, source);
      else if (failure->domain != LM_SOURCE_ERROR)
        {
          g_propagate_prefixed_error (error, g_steal_pointer (&failure), "cannot list catalog sources: ");
          return NULL;
        }
      /* A source that is not found has been removed in the meantime. */
      else if (failure->code != LM_SOURCE_ERROR_NOT_FOUND && warnings != NULL)
        g_ptr_array_add (warnings, g_strdup (failure->message));
    }
  g_ptr_array_sort (list, compare_priority);
  return g_steal_pointer (&list);
}

/* There can be only one source of a name. */
static gboolean
check_same_url (const LmSource *known, const char *url, GError **error)
{
  if (known == NULL || strcmp (known->url, url) == 0)
    return TRUE;
  g_autofree char *there = lm_url_redact (known->url);
  g_autofree char *now = lm_url_redact (url);
  return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_EXISTS,
                   "there is already a catalog source \"%s\", %s%s; remove it first or choose another name",
                   known->name, there, strcmp (there, now) == 0 ? " with other credentials" : "");
}

gboolean
lm_source_add (const char *state_dir, const char *name, const char *url_or_file, int priority, GPtrArray *warnings,
               const LmSourceStatus *status, GCancellable *cancellable, GError **error)
{
  if (!check_own_name (name, error))
    return FALSE;
  g_autofree char *url = lm_source_url_of (url_or_file, error);
  g_autofree char *dir = lm_source_record_dir (state_dir);
  g_autoptr (LmSource) before = NULL;
  if (url == NULL || !lm_source_record_find (dir, name, &before, error) || !check_same_url (before, url, error))
    return FALSE;
  if (before == NULL)
    before = lm_source_new (name, url);
  g_autoptr (LmSourceFetch) fetch = lm_source_fetch_run (dir, before, name, FALSE, warnings, cancellable, error);
  g_autoptr (LmLock) lock = fetch ? lm_source_record_wait (state_dir, dir, name, status, cancellable, error) : NULL;
  if (lock == NULL)
    return FALSE;
  g_autoptr (LmSource) source = NULL;
  if (!lm_source_record_find (dir, name, &source, error) || !check_same_url (source, url, error))
    return FALSE;
  if (source == NULL)
    source = lm_source_new (name, url);
  source->priority = priority;
  return lm_source_fetch_keep (fetch, dir, source, name, NULL, error) || remove_unused_lock (dir, name, lock);
}

/* Whether @known lists every build of @catalog. */
static gboolean
lists_all_builds (const LmCatalog *known, const LmCatalog *catalog)
{
  for (guint i = 0; i < lm_catalog_get_n_layers (catalog); i++)
    {
      guint n, first = lm_catalog_get_builds (catalog, i, &n);
      for (guint b = first; b < first + n; b++)
        if (lm_catalog_find_build (known, lm_catalog_get_build (catalog, b).digest) == LM_CATALOG_NONE)
          return FALSE;
    }
  return TRUE;
}

/* Makes the copy of @source, which is NULL if it does not exist, list @catalog as well. */
static gboolean
merge_import (const char *dir, const char *name, LmSource *source, const LmCatalog *catalog, const char *url, gboolean dry_run,
              LmSourceImport *out_result, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmCatalog) known = source != NULL ? lm_source_record_catalog (dir, source, name, NULL, &failure) : NULL;
  /* An import replaces the copy of another one that is missing or damaged. */
  gboolean lost = failure != NULL && source->imported
                  && (failure->domain != G_IO_ERROR || failure->code == G_IO_ERROR_NOT_FOUND);
  if (failure != NULL && !lost)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (source != NULL && !source->imported)
    {
      *out_result = LM_SOURCE_IMPORT_LISTED;
      return lists_all_builds (known, catalog) || check_same_url (source, url, error);
    }
  g_autoptr (LmSource) fresh = lm_source_new (name, url);
  char *text = lm_portable_merge (name, known, catalog, FALSE);
  g_autoptr (GBytes) body = g_bytes_new_take (text, strlen (text));
  if (known != NULL && lm_source_record_has (dir, source, body))
    *out_result = LM_SOURCE_IMPORT_UNCHANGED;
  else
    *out_result = source != NULL ? LM_SOURCE_IMPORT_CHANGED : LM_SOURCE_IMPORT_NEW;
  if (dry_run || *out_result == LM_SOURCE_IMPORT_UNCHANGED)
    return TRUE;
  fresh->base_url = g_strdup (url);
  fresh->priority = source != NULL ? source->priority : LM_SOURCE_PRIORITY_DEFAULT;
  fresh->fetched = g_get_real_time () / G_USEC_PER_SEC;
  fresh->imported = TRUE;
  return lm_source_record_save (dir, fresh, body, NULL, error);
}

gboolean
lm_source_import (const char *state_dir, const char *name, const LmCatalog *catalog, const char *url, gboolean dry_run,
                  LmSourceImport *out_result, const LmSourceStatus *status, GCancellable *cancellable, GError **error)
{
  if (!check_own_name (name, error))
    return FALSE;
  g_autofree char *dir = lm_source_record_dir (state_dir);
  g_autoptr (LmSource) source = NULL;
  if (dry_run)
    return lm_source_record_find (dir, name, &source, error)
           && merge_import (dir, name, source, catalog, url, TRUE, out_result, error);
  g_autoptr (LmLock) lock = lm_source_record_wait (state_dir, dir, name, status, cancellable, error);
  if (lock == NULL)
    return FALSE;
  return (lm_source_record_find (dir, name, &source, error)
          && merge_import (dir, name, source, catalog, url, FALSE, out_result, error))
         || remove_unused_lock (dir, name, lock);
}

gboolean
lm_source_update (const char *state_dir, const char *name, gboolean *out_changed, GPtrArray *warnings,
                  const LmSourceStatus *status, GCancellable *cancellable, GError **error)
{
  if (!check_source_name (name, error))
    return FALSE;
  g_autofree char *dir = lm_source_record_dir (state_dir);
  g_autoptr (LmSource) before = lm_source_record_load (dir, name, error);
  if (before != NULL && before->imported)
    {
      g_autofree char *shown = lm_url_redact (before->url);
      if (!lm_source_record_has_copy (dir, name))
        return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH,
                         "catalog source %s: it was imported from %s, and its copy is missing; import it again", name, shown);
      if (out_changed != NULL)
        *out_changed = FALSE;
      return TRUE;
    }
  g_autoptr (LmSourceFetch) fetch
    = before ? lm_source_fetch_run (dir, before, name, FALSE, warnings, cancellable, error) : NULL;
  g_autoptr (LmLock) lock = fetch ? lm_source_record_wait (state_dir, dir, name, status, cancellable, error) : NULL;
  if (lock == NULL)
    return FALSE;
  g_autoptr (LmSource) source = lm_source_record_load (dir, name, error);
  if (source == NULL)
    return remove_unused_lock (dir, name, lock);
  if (!check_same_url (source, before->url, error))
    return FALSE;
  return lm_source_fetch_keep (fetch, dir, source, name, out_changed, error);
}

gboolean
lm_source_remove (const char *state_dir, const char *name, const LmSourceStatus *status, GCancellable *cancellable,
                  GError **error)
{
  if (!check_source_name (name, error))
    return FALSE;
  g_autofree char *dir = lm_source_record_dir (state_dir);
  g_autoptr (LmLock) lock = lm_source_record_wait (state_dir, dir, name, status, cancellable, error);
  if (lock == NULL)
    return FALSE;
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmSource) source = lm_source_record_load (dir, name, &failure);
  /* It must be possible to remove a corrupt record. */
  if (source == NULL && g_error_matches (failure, LM_SOURCE_ERROR, LM_SOURCE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return remove_unused_lock (dir, name, lock);
    }
  if (source != NULL && lm_source_is_local (source))
    return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_NAME,
                     "the catalog source \"%s\" lists the layers made on this host and cannot be removed", name);
  if (!lm_source_record_erase (dir, name, error))
    return FALSE;
  lm_lock_remove_file (lock);
  return lm_file_sync_dir (dir, error);
}

GPtrArray *
lm_source_remove_unused_locks (const char *state_dir, gboolean dry_run)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *dir = lm_source_record_dir (state_dir);
  g_autoptr (GPtrArray) files = lm_file_list_dir (dir, NULL);
  for (guint i = 0; files != NULL && i < files->len; i++)
    {
      const char *file = g_ptr_array_index (files, i);
      if (!g_str_has_suffix (file, ".lock"))
        continue;
      g_autofree char *name = g_strndup (file, strlen (file) - strlen (".lock"));
      g_autoptr (LmLock) lock = lm_source_record_lock (state_dir, dir, 0755, name, 0, NULL, NULL);
      if (lock == NULL || lm_source_record_exists (dir, name))
        continue;
      g_ptr_array_add (paths, g_build_filename (dir, file, NULL));
      if (!dry_run)
        lm_lock_remove_file (lock);
    }
  return paths;
}
