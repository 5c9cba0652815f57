/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "source/record.h"
#include "base/content.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/identity.h"
#include "base/state-dir.h"
#include "base/text.h"
#include "base/url.h"
#include "base/yaml-node.h"
#include "catalog/selection.h"

#include <json-glib/json-glib.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_RECORD (64 * 1024)
#define VERSION_KEY "lamina-source"
#define RECORD_VERSION 1
#define CATALOGS "catalogs"
#define WAIT_SECONDS 60

char *
lm_source_record_dir (const char *state_dir)
{
  return g_build_filename (state_dir, CATALOGS, NULL);
}

LmStateDir *
lm_source_record_open (const char *state_dir, gboolean readonly, GError **error)
{
  g_autoptr (LmStateDir) state
    = readonly ? lm_state_dir_open_readonly (state_dir, error) : lm_state_dir_open (state_dir, error);
  return state != NULL ? lm_state_dir_open_below (state, CATALOGS, 0755, error) : NULL;
}

LmLock *
lm_source_record_lock (const char *state_dir, const char *dir, int mode, const char *name, gint timeout_ms,
                       GCancellable *cancellable, GError **error)
{
  g_autoptr (LmStateDir) catalogs = lm_source_record_open (state_dir, FALSE, error);
  g_autofree char *base = g_path_get_basename (dir);
  if (catalogs == NULL)
    return NULL;
  if (strcmp (base, CATALOGS) != 0)
    {
      g_autoptr (LmStateDir) below = lm_state_dir_open_below (catalogs, base, (guint) mode, error);
      if (below == NULL)
        return NULL;
    }
  g_autofree char *file = g_strconcat (name, ".lock", NULL);
  g_autofree char *path = g_build_filename (dir, file, NULL);
  return lm_lock_acquire (path, LM_LOCK_EXCLUSIVE, timeout_ms, NULL, NULL, cancellable, error);
}

LmLock *
lm_source_record_wait (const char *state_dir, const char *dir, const char *name, const LmSourceStatus *status, GCancellable *cancellable,
               GError **error)
{
  g_autoptr (GError) failure = NULL;
  LmLock *lock = lm_source_record_lock (state_dir, dir, 0755, name, 0, cancellable, &failure);
  if (g_error_matches (failure, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY))
    {
      g_clear_error (&failure);
      g_autofree char *text
        = g_strdup_printf ("waiting for another lamina process that is changing the catalog source %s", name);
      if (status != NULL)
        status->func (status->user_data, text);
      lock = lm_source_record_lock (state_dir, dir, 0755, name, WAIT_SECONDS * 1000, cancellable, &failure);
    }
  if (g_error_matches (failure, LM_LOCK_ERROR, LM_LOCK_ERROR_TIMED_OUT))
    return lm_throw_null (error, LM_LOCK_ERROR, LM_LOCK_ERROR_TIMED_OUT,
                          "another lamina process has been changing the catalog source %s for %d seconds; try again "
                          "later",
                          name, WAIT_SECONDS);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return lock;
}

static char *
make_file_path (const char *dir, const char *name, const char *suffix)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);
  return g_build_filename (dir, file, NULL);
}

static char *
get_string_member (const LmYamlNode *root, const char *key)
{
  const LmYamlNode *node = lm_yaml_node_lookup (root, key);
  return node && !lm_yaml_node_is_null (node) ? g_strdup (lm_yaml_node_get_text (node)) : NULL;
}

static gint64
get_int_member (const LmYamlNode *root, const char *key)
{
  const LmYamlNode *node = lm_yaml_node_lookup (root, key);
  gint64 value = 0;
  return node && lm_yaml_node_to_int (node, 0, G_MAXINT64, &value, NULL) ? value : 0;
}

/* Opens the file NAME and @suffix in @dir for reading if no other user could have
 * written it; -1 on error. */
static int
open_checked (const char *dir, const char *name, const char *suffix, GError **error)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);
  g_autoptr (LmStateDir) open = lm_state_dir_open_readonly (dir, error);
  return open != NULL ? lm_state_dir_open_file (open, file, error) : -1;
}

LmSource *
lm_source_record_load (const char *dir, const char *name, GError **error)
{
  g_autofree char *file = g_strconcat (name, ".json", NULL);
  g_autofree char *path = g_build_filename (dir, file, NULL);
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmStateDir) open = lm_state_dir_open_readonly (dir, &failure);
  g_autoptr (GBytes) bytes = open ? lm_state_dir_read (open, file, MAX_RECORD, &failure) : NULL;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_NOT_FOUND,
                          "no catalog source \"%s\"; \"lamina catalog list\" shows them", name);
  if (bytes == NULL && !lm_state_dir_is_unusable (failure))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  gsize size = 0;
  const char *text = bytes ? g_bytes_get_data (bytes, &size) : NULL;
  g_autoptr (LmYamlNode) root = bytes ? lm_yaml_node_parse (path, text, size, NULL, &failure) : NULL;
  if (root == NULL)
    return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_CORRUPT, "%s", failure->message);
  g_autoptr (LmSource) source = g_new0 (LmSource, 1);
  source->name = g_strdup (name);
  source->url = get_string_member (root, "url");
  source->base_url = get_string_member (root, "base_url");
  source->etag = get_string_member (root, "etag");
  source->priority = (int) CLAMP (get_int_member (root, "priority"), 0, LM_SOURCE_PRIORITY_MAX);
  source->fetched = get_int_member (root, "fetched");
  source->imported = get_int_member (root, "imported") != 0;
  if (get_int_member (root, VERSION_KEY) != RECORD_VERSION || source->url == NULL || source->base_url == NULL)
    return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_CORRUPT,
                          "%s is not a record of a catalog source; run \"lamina catalog remove %s\" and add it again", path,
                          name);
  return g_steal_pointer (&source);
}

gboolean
lm_source_record_find (const char *dir, const char *name, LmSource **out_source, GError **error)
{
  g_autoptr (GError) failure = NULL;
  *out_source = lm_source_record_load (dir, name, &failure);
  if (*out_source != NULL || g_error_matches (failure, LM_SOURCE_ERROR, LM_SOURCE_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static char *
record_json (const LmSource *source)
{
  g_autoptr (JsonObject) object = json_object_new ();
  json_object_set_int_member (object, VERSION_KEY, RECORD_VERSION);
  json_object_set_string_member (object, "url", source->url);
  json_object_set_string_member (object, "base_url", source->base_url);
  if (source->etag)
    json_object_set_string_member (object, "etag", source->etag);
  json_object_set_int_member (object, "priority", source->priority);
  json_object_set_int_member (object, "fetched", source->fetched);
  if (source->imported)
    json_object_set_int_member (object, "imported", 1);
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);
  return json_to_string (node, TRUE);
}

/* Returns the mode of the record, which contains the URL of the source and the one its copy came from. */
static int
get_record_mode (const LmSource *source)
{
  return lm_url_is_secret (source->url) || lm_url_is_secret (source->base_url) ? 0600 : 0644;
}

/* Returns the mode of copy and index: they contain the URLs in @catalog (NULL if
 * unknown), and the copy of a file must not be more readable than the file. One that
 * was imported contains nothing that is not public (catalog/portable.h). */
static int
get_copy_mode (const LmSource *source, const LmCatalog *catalog)
{
  if (source->imported)
    return 0644;
  g_autofree char *path = g_str_has_prefix (source->url, "file:") ? g_filename_from_uri (source->url, NULL, NULL) : NULL;
  struct stat st;
  if ((path != NULL && stat (path, &st) == 0 && (st.st_mode & S_IROTH) == 0)
      || (catalog != NULL && lm_catalog_has_secrets (catalog)))
    return 0600;
  return get_record_mode (source);
}

static const char *const suffixes[] = { ".json", ".catalog", ".index" };

/* Whether @file is a file of a source or of a URL. */
static gboolean
is_source_file (const char *file)
{
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *name = g_str_has_suffix (file, suffixes[i]) ? g_strndup (file, strlen (file) - strlen (suffixes[i])) : NULL;
      LmDigest digest;
      if (name != NULL && (lm_name_is_valid (name) || lm_digest_from_file_name (name, "", &digest)))
        return TRUE;
    }
  return FALSE;
}

void
lm_source_record_sweep (const LmStateDir *dir)
{
  lm_state_dir_remove_leftovers (dir, is_source_file);
}

/* Does lm_source_record_sweep() for the directory @dir. */
static void
sweep_dir (const char *dir)
{
  g_autoptr (LmStateDir) open = lm_state_dir_open_readonly (dir, NULL);
  if (open != NULL)
    lm_source_record_sweep (open);
}

gboolean
lm_source_record_save (const char *dir, const LmSource *source, GBytes *body, const LmCatalog *catalog, GError **error)
{
  g_autofree char *copy = make_file_path (dir, source->name, ".catalog");
  g_autofree char *index_file = make_file_path (dir, source->name, ".index");
  g_autofree char *record = make_file_path (dir, source->name, ".json");
  if (!lm_file_make_dir (dir, 0755, error))
    return FALSE;
  sweep_dir (dir);
  int mode = get_copy_mode (source, catalog);
  if (body != NULL)
    {
      gsize size;
      const void *data = g_bytes_get_data (body, &size);
      if (!lm_file_write (copy, data, size, mode, error))
        return FALSE;
    }
  lm_file_restrict_mode (copy, mode);
  lm_file_restrict_mode (index_file, mode);
  g_autofree char *json = record_json (source);
  return lm_file_write (record, json, strlen (json), get_record_mode (source), error);
}

gboolean
lm_source_record_has (const char *dir, const LmSource *source, GBytes *body)
{
  g_autofree char *copy = make_file_path (dir, source->name, ".catalog");
  lm_autofd int fd = open_checked (dir, source->name, ".catalog", NULL);
  g_autoptr (GBytes) there = fd >= 0 ? lm_fd_read_bytes (fd, copy, LM_SOURCE_SIZE_MAX, NULL) : NULL;
  return there != NULL && g_bytes_equal (there, body);
}

gboolean
lm_source_record_has_copy (const char *dir, const char *name)
{
  g_autofree char *copy = make_file_path (dir, name, ".catalog");
  return g_file_test (copy, G_FILE_TEST_IS_REGULAR);
}

gboolean
lm_source_record_exists (const char *dir, const char *name)
{
  g_autofree char *record = make_file_path (dir, name, ".json");
  return lm_source_record_has_copy (dir, name) || g_file_test (record, G_FILE_TEST_EXISTS);
}

gboolean
lm_source_record_erase (const char *dir, const char *name, GError **error)
{
  /* The record first; the others have no meaning without it. */
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *path = make_file_path (dir, name, suffixes[i]);
      if (unlink (path) < 0 && errno != ENOENT)
        return lm_throw_errno (error, "cannot remove %s", path);
    }
  sweep_dir (dir);
  return TRUE;
}

static gboolean
is_blank (const char *text, gsize size)
{
  while (size > 0 && g_ascii_isspace (text[size - 1]))
    size--;
  return size == 0;
}

LmCatalog *
lm_source_record_parse (const char *shown, const char *requested_url, const char *base_url, GBytes *bytes,
                        GPtrArray *warnings, GError **error)
{
  g_autoptr (GBytes) normal = lm_text_normalize (bytes);
  gsize size, raw_size;
  const char *text = g_bytes_get_data (normal, &size), *raw = g_bytes_get_data (bytes, &raw_size);
  const char *advice = "the URL may lead to another file";
  /* The raw bytes first, because UTF-32 is mistaken for UTF-16 when it is converted. */
  const char *what = lm_content_recognize (raw, raw_size, &advice);
  if (what == NULL)
    what = lm_content_recognize (text, size, &advice);
  if (what == NULL && is_blank (text, size))
    what = "an empty file";
  if (what != NULL)
    {
      g_autofree char *public = lm_url_redact (base_url);
      return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH, "catalog source %s: %s is %s, not a catalog; %s", shown,
                            public, what, advice);
    }
  return lm_catalog_parse (shown, requested_url, base_url, text ? text : "", size, warnings, error);
}

static LmCatalog *
load_copy_index (const char *dir, const LmSource *source, const char *shown, const char *stamp)
{
  g_autofree char *path = make_file_path (dir, source->name, ".index");
  lm_autofd int fd = open_checked (dir, source->name, ".index", NULL);
  g_autoptr (GBytes) bytes = fd >= 0 ? lm_fd_read_bytes (fd, path, LM_SOURCE_SIZE_MAX, NULL) : NULL;
  return bytes != NULL ? lm_catalog_load (bytes, shown, source->url, source->base_url, stamp, NULL) : NULL;
}

/* Whether the open file is as it was before it was read: only then may an index be
 * made from what was read. */
static gboolean
has_not_changed (int fd, const LmIdentity *identity)
{
  const LmIdentity now = lm_identity_of_fd (fd);
  return lm_identity_has_same_content (&now, identity);
}

LmCatalog *
lm_source_record_catalog (const char *dir, const LmSource *source, const char *shown, GPtrArray *warnings, GError **error)
{
  g_autofree char *copy = make_file_path (dir, source->name, ".catalog");
  g_autofree char *index_file = make_file_path (dir, source->name, ".index");
  g_autofree char *record = make_file_path (dir, source->name, ".json");
  struct stat st, index_st;
  lm_autofd int fd = open_checked (dir, source->name, ".catalog", error);
  if (fd < 0)
    return NULL;
  if (fstat (fd, &st) < 0)
    return lm_throw_errno_null (error, "cannot stat %s", copy);
  int known = get_record_mode (source);
  lm_file_restrict_mode (record, known);
  lm_file_restrict_mode (copy, known);
  lm_file_restrict_mode (index_file, known);
  const LmIdentity identity = lm_identity_of (&st);
  g_autofree char *stamp = lm_identity_format (&identity);
  LmCatalog *catalog = load_copy_index (dir, source, shown, stamp);
  if (catalog != NULL)
    {
      /* The writer of the index determined the right mode for both; looking at all
       * URLs each time would take long. */
      if (stat (index_file, &index_st) == 0 && (st.st_mode & ~index_st.st_mode & 0777) != 0)
        lm_file_restrict_mode (copy, get_copy_mode (source, catalog));
      return catalog;
    }

  g_autoptr (GBytes) bytes = lm_fd_read_bytes (fd, copy, LM_SOURCE_SIZE_MAX, error);
  catalog = bytes ? lm_source_record_parse (shown, source->url, source->base_url, bytes, warnings, error) : NULL;
  if (catalog == NULL || !has_not_changed (fd, &identity))
    return catalog;
  int mode = get_copy_mode (source, catalog) & (int) st.st_mode;
  lm_file_restrict_mode (copy, mode);
  g_autoptr (GBytes) index = lm_catalog_serialize (catalog, stamp);
  sweep_dir (dir);
  /* If the index cannot be written, for example because it belongs to another user,
   * the next run parses again. */
  (void) !lm_file_write_unsynced (index_file, g_bytes_get_data (index, NULL), g_bytes_get_size (index), mode, NULL);
  return catalog;
}
