/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "source/source.h"
#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/url.h"
#include "base/state-dir.h"
#include "io/http.h"
#include "catalog/selection.h"
#include "source/record.h"

#include <string.h>

G_DEFINE_QUARK (lm-source-error-quark, lm_source_error)

#define MAX_CATALOG (256 * 1024 * 1024)
#define EXTRA_PRIORITY (LM_SOURCE_PRIORITY_MAX + 1)

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

static gboolean
check_name (const char *name, GError **error)
{
  if (lm_name_is_valid (name))
    return TRUE;
  g_autofree char *safe = g_strescape (name, NULL);
  return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_NAME,
                   "\"%s\" cannot name a catalog source: use lower-case letters, digits and + . _ -", safe);
}

static gboolean
is_url (const char *text)
{
  return g_str_has_prefix (text, "http://") || g_str_has_prefix (text, "https://") || g_str_has_prefix (text, "file://");
}

/* The absolute URL for @url_or_file. */
static char *
absolute_url (const char *url_or_file, GError **error)
{
  if (is_url (url_or_file))
    return g_strdup (url_or_file);
  g_autofree char *scheme = g_uri_parse_scheme (url_or_file);
  if (scheme != NULL && strstr (url_or_file, "://") != NULL)
    {
      g_autofree char *shown = lm_url_redact (url_or_file);
      return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH,
                            "%s: \"%s\" is no scheme of a catalog; http, https and file are", shown, scheme);
    }
  if (g_ascii_strncasecmp (url_or_file, "http:", 5) == 0 || g_ascii_strncasecmp (url_or_file, "https:", 6) == 0)
    {
      g_autofree char *shown = lm_url_redact (url_or_file);
      return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH,
                            "%s: the URL of a catalog begins with http:// or https://; for a file of this name write ./ before it", shown);
    }
  g_autofree char *path = g_canonicalize_filename (url_or_file, NULL);
  return g_filename_to_uri (path, NULL, error);
}

static char *
catalogs_dir (const char *state_dir)
{
  return g_build_filename (state_dir, "catalogs", NULL);
}

/* One lock a source: one whose server hangs holds up nobody else's. */
static LmLock *
lock_source (const char *state_dir, const char *dir, int mode, const char *name, GCancellable *cancellable, GError **error)
{
  g_autofree char *parent = catalogs_dir (state_dir);
  if (!lm_state_dir_make (state_dir, error) || !lm_file_make_dir (parent, 0755, error)
      || !lm_file_make_dir (dir, mode, error))
    return NULL;
  g_autofree char *file = g_strconcat (name, ".lock", NULL);
  g_autofree char *path = g_build_filename (dir, file, NULL);
  return lm_lock_acquire (path, LM_LOCK_EXCLUSIVE, -1, NULL, NULL, cancellable, error);
}

/* No lock stays of a source that is not there. Returns FALSE. */
static gboolean
not_there (const char *dir, const char *name, LmLock *lock)
{
  if (!lm_source_record_has_copy (dir, name))
    lm_lock_remove_file (lock);
  return FALSE;
}

static gboolean
fetch_failed (const char *shown, const GError *failure, GError **error)
{
  /* Said already; or no fault of the source's. */
  if (failure->domain == LM_SOURCE_ERROR || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
    {
      g_propagate_error (error, g_error_copy (failure));
      return FALSE;
    }
  return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH, "catalog source %s: %s", shown, failure->message);
}

/* The copy is still what the server has. */
static gboolean
refresh_unmodified (const char *dir, LmSource *source, char **base_url, const char *shown, GError **error)
{
  g_free (source->base_url);
  source->base_url = g_steal_pointer (base_url);
  /* Who may read the copy depends on what is in it. A damaged one fails whoever uses it. */
  g_autoptr (LmCatalog) catalog = lm_source_record_catalog (dir, source, shown, NULL, NULL);
  return lm_source_record_save (dir, source, NULL, catalog, error);
}

/* Gets the document of @source; the copy in @dir is changed only once the new
 * one was read without error. */
static gboolean
refresh (const char *dir, LmSource *source, const char *shown, gboolean *out_changed, GPtrArray *warnings,
         GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  /* Where the copy got lost, "not modified" would be no help. */
  const char *etag = lm_source_record_has_copy (dir, source->name) ? source->etag : NULL;
  g_autoptr (LmHttpDocument) document = lm_http_get (source->url, etag, MAX_CATALOG, NULL, cancellable, &failure);
  if (document == NULL)
    return fetch_failed (shown, failure, error);
  source->fetched = g_get_real_time () / G_USEC_PER_SEC;
  /* Servers without ETag, and files, give the same bytes again. */
  gboolean changed = document->body != NULL && !lm_source_record_has (dir, source, document->body);
  if (out_changed)
    *out_changed = changed;
  /* A server's redirects to itself forget what was asked with; records of old versions do too. */
  g_autofree char *base_url = lm_url_inherit (source->url, document->body ? document->url : source->base_url);
  if (document->body == NULL)
    return refresh_unmodified (dir, source, &base_url, shown, error);

  g_autoptr (LmCatalog) catalog = lm_source_record_parse (shown, base_url, document->body, warnings, &failure);
  if (catalog == NULL)
    return fetch_failed (shown, failure, error);
  g_free (source->base_url);
  source->base_url = g_steal_pointer (&base_url);
  g_free (source->etag);
  source->etag = g_strdup (document->etag);
  return lm_source_record_save (dir, source, changed ? document->body : NULL, catalog, error);
}

static int
by_priority (gconstpointer a, gconstpointer b)
{
  const LmSource *one = *(LmSource *const *) a, *other = *(LmSource *const *) b;
  return one->priority != other->priority ? other->priority - one->priority : strcmp (one->name, other->name);
}

GPtrArray *
lm_source_list (const char *state_dir, GPtrArray *warnings, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_source_free);
  g_autofree char *path = catalogs_dir (state_dir);
  g_autoptr (GError) unreadable = NULL;
  g_autoptr (GDir) dir = g_dir_open (path, 0, &unreadable);
  if (dir == NULL && !g_error_matches (unreadable, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return lm_throw_null (error, G_IO_ERROR, (int) g_io_error_from_file_error ((GFileError) unreadable->code),
                          "cannot list catalog sources: %s", unreadable->message);
  const char *file;
  while (dir && (file = g_dir_read_name (dir)) != NULL)
    {
      if (!g_str_has_suffix (file, ".json"))
        continue;
      g_autofree char *name = g_strndup (file, strlen (file) - strlen (".json"));
      if (!lm_name_is_valid (name))
        continue;
      g_autoptr (GError) failure = NULL;
      LmSource *source = lm_source_record_load (path, name, &failure);
      if (source != NULL)
        g_ptr_array_add (list, source);
      else if (warnings != NULL)
        g_ptr_array_add (warnings, g_strdup (failure->message));
    }
  g_ptr_array_sort (list, by_priority);
  return g_steal_pointer (&list);
}

gboolean
lm_source_add (const char *state_dir, const char *name, const char *url_or_file, int priority, GPtrArray *warnings,
               GCancellable *cancellable, GError **error)
{
  if (!check_name (name, error))
    return FALSE;
  g_autofree char *url = absolute_url (url_or_file, error);
  g_autofree char *dir = catalogs_dir (state_dir);
  g_autoptr (LmLock) lock = url ? lock_source (state_dir, dir, 0755, name, cancellable, error) : NULL;
  if (lock == NULL)
    return FALSE;
  g_autoptr (LmSource) known = lm_source_record_load (dir, name, NULL);
  if (known != NULL && strcmp (known->url, url) != 0)
    {
      g_autofree char *there = lm_url_redact (known->url);
      g_autofree char *now = lm_url_redact (url);
      return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_EXISTS,
                       "a catalog source \"%s\" is there already, from %s%s; remove it first or choose another name", name,
                       there, strcmp (there, now) == 0 ? " with other credentials" : "");
    }
  g_autoptr (LmSource) source = g_steal_pointer (&known);
  if (source == NULL)
    {
      source = g_new0 (LmSource, 1);
      source->name = g_strdup (name);
      source->url = g_strdup (url);
    }
  source->priority = priority;
  return refresh (dir, source, name, NULL, warnings, cancellable, error) || not_there (dir, name, lock);
}

gboolean
lm_source_update (const char *state_dir, const char *name, gboolean *out_changed, GPtrArray *warnings,
                  GCancellable *cancellable, GError **error)
{
  if (!check_name (name, error))
    return FALSE;
  g_autofree char *dir = catalogs_dir (state_dir);
  g_autoptr (LmLock) lock = lock_source (state_dir, dir, 0755, name, cancellable, error);
  g_autoptr (LmSource) source = lock ? lm_source_record_load (dir, name, error) : NULL;
  if (source == NULL)
    return lock != NULL && not_there (dir, name, lock);
  return refresh (dir, source, name, out_changed, warnings, cancellable, error);
}

gboolean
lm_source_remove (const char *state_dir, const char *name, GError **error)
{
  if (!check_name (name, error))
    return FALSE;
  g_autofree char *dir = catalogs_dir (state_dir);
  g_autoptr (LmLock) lock = lock_source (state_dir, dir, 0755, name, NULL, error);
  if (lock == NULL)
    return FALSE;
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmSource) source = lm_source_record_load (dir, name, &failure);
  /* A corrupt record must be removable. */
  if (source == NULL && g_error_matches (failure, LM_SOURCE_ERROR, LM_SOURCE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return not_there (dir, name, lock);
    }
  lm_source_record_erase (dir, name);
  lm_lock_remove_file (lock);
  return lm_file_sync_dir (dir, error);
}

/* --catalog FILE: read where it is, nothing is kept of it. */
static LmCatalog *
load_file (const char *file, const char *url, GPtrArray *warnings, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *path = g_filename_from_uri (url, NULL, &failure);
  g_autoptr (GBytes) bytes = path ? lm_file_read (path, MAX_CATALOG, cancellable, &failure) : NULL;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (bytes == NULL)
    return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH, "catalog: %s", failure->message);
  return lm_source_record_parse (file, url, bytes, warnings, error);
}

static char *
name_of_url (const char *url)
{
  LmDigest digest = lm_digest_of_text (url);
  return lm_digest_file_name (&digest, NULL);
}

/* --catalog URL: fetched now, or else its last good copy. */
static LmCatalog *
load_url (const char *state_dir, const char *url, const char *shown, GPtrArray *warnings, GCancellable *cancellable, GError **error)
{
  g_autofree char *parent = catalogs_dir (state_dir);
  g_autofree char *dir = g_build_filename (parent, "urls", NULL);
  g_autofree char *name = name_of_url (url);
  /* Others may not try passwords out on the names. */
  g_autoptr (LmLock) lock = lock_source (state_dir, dir, 0700, name, cancellable, error);
  if (lock == NULL)
    return NULL;
  g_autoptr (LmSource) source = lm_source_record_load (dir, name, NULL);
  gboolean known = source != NULL;
  if (!known)
    {
      source = g_new0 (LmSource, 1);
      source->name = g_strdup (name);
      source->url = g_strdup (url);
    }
  g_autoptr (GError) failure = NULL;
  if (!refresh (dir, source, shown, NULL, warnings, cancellable, &failure))
    {
      if (!known || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          (void) not_there (dir, name, lock);
          return NULL;
        }
      g_ptr_array_add (warnings, g_strdup_printf ("%s; its last good copy is used", failure->message));
    }
  return lm_source_record_catalog (dir, source, shown, NULL, error);
}

static gboolean
load_extra (LmCatalogSet *set, const char *state_dir, const char *text, GPtrArray *warnings, GCancellable *cancellable,
            GError **error)
{
  g_autofree char *url = absolute_url (text, error);
  if (url == NULL)
    return FALSE;
  g_autofree char *shown = is_url (text) ? lm_url_redact (text) : g_strdup (text);
  g_autoptr (GError) failure = NULL;
  LmCatalog *catalog = g_str_has_prefix (url, "file://") ? load_file (shown, url, warnings, cancellable, &failure)
                                                         : load_url (state_dir, url, shown, warnings, cancellable, &failure);
  if (catalog == NULL && failure->domain == LM_SOURCE_ERROR)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (catalog == NULL)
    return fetch_failed (shown, failure, error);
  lm_catalog_set_add (set, catalog, EXTRA_PRIORITY);
  return TRUE;
}

LmCatalogSet *
lm_source_load_all (const char *state_dir, const char *const *extra, GPtrArray *warnings, GCancellable *cancellable,
                    GError **error)
{
  g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
  g_autofree char *dir = catalogs_dir (state_dir);
  g_autofree char *urls_dir = g_build_filename (dir, "urls", NULL);
  /* older versions made it for all to read */
  lm_file_narrow (urls_dir, 0700);
  for (const char *const *text = extra; text && *text; text++)
    if (!load_extra (set, state_dir, *text, warnings, cancellable, error))
      return NULL;

  g_autoptr (GPtrArray) sources = lm_source_list (state_dir, warnings, error);
  if (sources == NULL)
    return NULL;
  for (guint i = 0; i < sources->len; i++)
    {
      const LmSource *source = g_ptr_array_index (sources, i);
      g_autoptr (GError) failure = NULL;
      LmCatalog *catalog = lm_source_record_catalog (dir, source, source->name, NULL, &failure);
      if (catalog != NULL)
        lm_catalog_set_add (set, catalog, source->priority);
      else
        g_ptr_array_add (warnings, g_strdup_printf ("catalog source %s is left out: %s", source->name, failure->message));
    }
  return g_steal_pointer (&set);
}
