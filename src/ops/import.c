/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/import.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "catalog/portable.h"
#include "fetch/intake.h"
#include "io/tar.h"
#include "ops/room.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A chain has at most 64 layers, so both are ample. */
#define CATALOG_SIZE_MAX (16 * 1024 * 1024) /* it may list thousands of packages */
#define FILES_MAX 1000
#define DEFAULT_NAME "imported"
#define PROGRESS_US (100 * 1000)

G_DEFINE_QUARK (lm-import-error-quark, lm_import_error)

typedef struct
{
  const LmHost *host;
  const char *shown;
  LmCache *cache;
  LmTarReader *reader;
  LmCatalog *catalog;
  GHashTable *wanted;  /* name in the archive -> LmImportFile of result; removed when it has been seen */
  GPtrArray *files;    /* LmImportFile of the catalog */
  GPtrArray *missing;  /* LmBlob: those that were not in the cache at first */
  GPtrArray *seen;     /* those that the archive has had, in its order */
  GArray *items;       /* LmFetchItemProgress of these */
  guint64 done, total; /* bytes of these */
  gint64 next_report;
} Import;

static void
import_file_free (gpointer data)
{
  LmImportFile *file = data;
  lm_blob_clear (&file->blob);
  g_free (file);
}

static void
import_clear (Import *import)
{
  lm_tar_reader_free (import->reader);
  lm_catalog_free (import->catalog);
  lm_cache_close (import->cache);
  g_clear_pointer (&import->wanted, g_hash_table_unref);
  g_clear_pointer (&import->files, g_ptr_array_unref);
  g_clear_pointer (&import->missing, g_ptr_array_unref);
  g_clear_pointer (&import->seen, g_ptr_array_unref);
  g_clear_pointer (&import->items, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

void
lm_import_result_free (LmImportResult *result)
{
  if (result == NULL)
    return;
  g_ptr_array_unref (result->files);
  g_free (result->source);
  g_free (result);
}

static gboolean G_GNUC_PRINTF (3, 4)
refuse (const Import *import, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  return lm_throw (error, LM_IMPORT_ERROR, LM_IMPORT_ERROR_REFUSED, "%s: %s", import->shown, text);
}

static gboolean
refuse_name (const Import *import, const char *name, const char *what, GError **error)
{
  g_autofree char *safe = lm_text_escape (name, 100);
  return refuse (import, error, "\"%s\" %s", safe, what);
}

static void
report_import (Import *import, gboolean always)
{
  gint64 now = g_get_monotonic_time ();
  if (import->host->progress == NULL || (!always && now < import->next_report))
    return;
  import->next_report = now + PROGRESS_US;
  const LmFetchProgress progress = { .items = (const LmFetchItemProgress *) (const void *) import->items->data,
                                     .n_items = import->items->len,
                                     .done = import->done,
                                     .total = import->total,
                                     .what = LM_FETCH_IMPORT };
  import->host->progress (&progress, import->host->user_data);
}

static gboolean
read_catalog (Import *import, GError **error)
{
  g_autofree char *name = NULL;
  guint64 size;
  if (!lm_tar_reader_next (import->reader, &name, &size, error))
    return FALSE;
  if (name == NULL)
    return refuse (import, error, "it is empty");
  if (strcmp (name, LM_PORTABLE_CATALOG) != 0)
    return refuse_name (import, name, "comes first instead of " LM_PORTABLE_CATALOG
                        "; it was not made by \"lamina cache export\"", error);
  if (size > CATALOG_SIZE_MAX)
    return refuse (import, error, "its catalog is larger than %d bytes", CATALOG_SIZE_MAX);
  g_autoptr (GByteArray) text = g_byte_array_new ();
  for (gsize n = 1; n > 0;)
    {
      const void *data;
      if (!lm_tar_reader_read (import->reader, &data, &n, error))
        return FALSE;
      g_byte_array_append (text, data, (guint) n);
    }
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&text));
  g_autoptr (GError) failure = NULL;
  import->catalog = lm_portable_parse (bytes, LM_PORTABLE_CATALOG, &failure);
  return import->catalog != NULL || refuse (import, error, "%s", failure->message);
}

/* Adds a file that the archive must contain; several layers may share a kernel. */
static void
want_file (Import *import, const LmBlob *blob)
{
  g_autofree char *name = blob != NULL ? lm_portable_file_name (blob->kind, &blob->digest) : NULL;
  if (blob == NULL || g_hash_table_contains (import->wanted, name))
    return;
  LmImportFile *file = g_new0 (LmImportFile, 1);
  lm_blob_copy (&file->blob, blob);
  g_hash_table_insert (import->wanted, g_steal_pointer (&name), file);
  g_ptr_array_add (import->files, file);
}

static gboolean
list_wanted_files (Import *import, GError **error)
{
  for (guint i = 0; i < lm_catalog_get_n_layers (import->catalog); i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_load_layer (import->catalog, i);
      for (guint b = 0; b < layer->builds->len; b++)
        want_file (import, &lm_layer_get_build (layer, b)->blob);
      want_file (import, layer->kernel);
      want_file (import, layer->initrd);
      if (import->files->len > FILES_MAX)
        return refuse (import, error, "its catalog lists more than %d files", FILES_MAX);
    }
  return import->files->len > 0 || refuse (import, error, "its catalog lists no layers");
}

/* Finds out what is missing, and makes room for it, so that a full disk is found before the first byte. */
static gboolean
find_missing_files (Import *import, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < import->files->len; i++)
    {
      LmBlob *blob = &((LmImportFile *) g_ptr_array_index (import->files, i))->blob;
      LmCacheState state;
      if (!lm_cache_check (import->cache, blob, &state, cancellable, error))
        return FALSE;
      if (state == LM_CACHE_PRESENT)
        continue;
      g_ptr_array_add (import->missing, blob);
      const LmFetchItemProgress item = { .blob = blob };
      g_array_append_val (import->items, item);
      import->total += blob->size;
    }
  return lm_room_make (import->host, import->cache, import->missing, cancellable, error);
}

static void
report_item (Import *import, const LmBlob *blob, guint64 more, LmFetchState state)
{
  for (guint i = 0; i < import->items->len; i++)
    {
      LmFetchItemProgress *item = &g_array_index (import->items, LmFetchItemProgress, i);
      if (item->blob != blob)
        continue;
      gboolean changed = item->state != state;
      item->state = state;
      item->done += more;
      import->done += more;
      report_import (import, changed);
    }
}

static gboolean
take_bytes (Import *import, LmIntake *intake, const LmBlob *blob, GError **error)
{
  report_item (import, blob, 0, LM_FETCH_TRANSFERRING);
  for (gsize n = 1; n > 0;)
    {
      const void *data;
      if (!lm_tar_reader_read (import->reader, &data, &n, error) || !lm_intake_write (intake, data, n, error))
        return FALSE;
      report_item (import, blob, n, LM_FETCH_TRANSFERRING);
    }
  report_item (import, blob, 0, LM_FETCH_VERIFYING);
  if (!lm_intake_finish (intake, error))
    return FALSE;
  report_item (import, blob, 0, LM_FETCH_DONE);
  return TRUE;
}

static gboolean
import_file (Import *import, LmImportFile *file, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmIntake) intake = NULL;
  if (!lm_intake_open (import->cache, &file->blob, &intake, cancellable, error))
    return FALSE;
  file->cached = intake == NULL;
  return intake == NULL || take_bytes (import, intake, &file->blob, error);
}

static gboolean
import_next_file (Import *import, const char *name, guint64 size, GCancellable *cancellable, GError **error)
{
  g_autofree char *key = NULL;
  LmImportFile *file = NULL;
  if (!g_hash_table_steal_extended (import->wanted, name, (gpointer *) &key, (gpointer *) &file))
    return refuse_name (import, name, "is not a file that its catalog lists, or it is there twice", error);
  if (size != file->blob.size)
    return refuse (import, error, "%s has %" G_GUINT64_FORMAT " bytes instead of %" G_GUINT64_FORMAT, name, size,
                   file->blob.size);
  g_ptr_array_add (import->seen, file);
  return import_file (import, file, cancellable, error);
}

/* Files that are not in the archive must be in the cache. */
static gboolean
check_rest (Import *import, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < import->files->len; i++)
    {
      LmImportFile *file = g_ptr_array_index (import->files, i);
      LmCacheState state;
      if (g_ptr_array_find (import->seen, file, NULL))
        continue;
      if (!lm_cache_check (import->cache, &file->blob, &state, cancellable, error))
        return FALSE;
      if (state != LM_CACHE_PRESENT)
        return refuse (import, error, "%s is missing in it", file->blob.name);
      file->cached = TRUE;
    }
  return TRUE;
}

static gboolean
import_all_files (Import *import, GCancellable *cancellable, GError **error)
{
  for (;;)
    {
      g_autofree char *name = NULL;
      guint64 size;
      if (!lm_tar_reader_next (import->reader, &name, &size, error))
        return FALSE;
      if (name == NULL)
        return check_rest (import, cancellable, error);
      if (!import_next_file (import, name, size, cancellable, error))
        return FALSE;
    }
}

static LmLock *
lease_files (Import *import, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) blobs = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_blob_free);
  for (guint i = 0; i < import->files->len; i++)
    {
      const LmBlob *blob = &((LmImportFile *) g_ptr_array_index (import->files, i))->blob;
      g_ptr_array_add (blobs, lm_blob_dup (blob));
      /* It may be one that only the cache has. */
      LmBlob *parent = blob->has_parent ? g_new0 (LmBlob, 1) : NULL;
      if (parent == NULL)
        continue;
      parent->kind = LM_BLOB_LAYER;
      parent->digest = blob->parent;
      g_ptr_array_add (blobs, parent);
    }
  return lm_cache_lease (import->cache, blobs, cancellable, error);
}

static int
open_archive (const char *file, GError **error)
{
  if (strcmp (file, "-") == 0)
    return fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  /* Otherwise the wait for the writer of a FIFO could not be cancelled. */
  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    (void) lm_throw_errno (error, "cannot open %s", file);
  return fd;
}

/* The URL by which the source is known. */
static char *
make_archive_url (const char *file, GError **error)
{
  g_autofree char *path = g_canonicalize_filename (strcmp (file, "-") == 0 ? "/dev/stdin" : file, NULL);
  return g_filename_to_uri (path, NULL, error);
}

/* Says what remains of a failed import, which is of use. */
static void
explain_rest (const Import *import, GError **error)
{
  guint imported = 0;
  for (guint i = 0; i + 1 < import->seen->len; i++)
    imported += ((LmImportFile *) g_ptr_array_index (import->seen, i))->cached ? 0 : 1;
  if (imported > 0 && error != NULL && *error != NULL)
    {
      char *text = g_strdup_printf ("%s; %u %s before it were imported and stay in the cache", (*error)->message, imported,
                                    imported == 1 ? "file" : "files");
      g_free ((*error)->message);
      (*error)->message = text;
    }
}

LmImportResult *
lm_import (const LmHost *host, const char *file, const char *given, GCancellable *cancellable, GError **error)
{
  const LmSourceStatus status = { host->status, host->user_data };
  LmSourceImport change;
  lm_autofd int fd = open_archive (file, error);
  g_autofree char *url = fd >= 0 ? make_archive_url (file, error) : NULL;
  g_auto (Import) import = { .host = host, .shown = strcmp (file, "-") == 0 ? "standard input" : file };
  if (url == NULL)
    return NULL;
  import.wanted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  import.files = g_ptr_array_new_with_free_func (import_file_free);
  import.missing = g_ptr_array_new ();
  import.seen = g_ptr_array_new ();
  import.items = g_array_new (FALSE, FALSE, sizeof (LmFetchItemProgress));
  import.reader = lm_tar_reader_new (fd, import.shown, cancellable);
  if (!read_catalog (&import, error) || !list_wanted_files (&import, error))
    return NULL;
  const char *own = lm_catalog_get_name (import.catalog);
  /* What another host made itself is not what this one did. */
  const char *name = given != NULL ? given : own != NULL && strcmp (own, LM_LOCAL_NAME) != 0 ? own : DEFAULT_NAME;
  if (!lm_source_import (host->state_dir, name, import.catalog, url, TRUE, &change, NULL, cancellable, error))
    return NULL;
  import.cache = lm_cache_open (host->state_dir, &host->cache, error);
  g_autoptr (LmLock) lease = import.cache != NULL ? lease_files (&import, cancellable, error) : NULL;
  if (lease == NULL || !find_missing_files (&import, cancellable, error))
    return NULL;
  gboolean imported = import_all_files (&import, cancellable, error);
  lm_room_release (import.cache, import.missing);
  if (!imported)
    {
      explain_rest (&import, error);
      return NULL;
    }
  if (!lm_source_import (host->state_dir, name, import.catalog, url, FALSE, &change, &status, cancellable, error))
    return NULL;
  LmImportResult *result = g_new0 (LmImportResult, 1);
  result->files = g_ptr_array_ref (import.files);
  result->source = g_strdup (name);
  result->change = change;
  return result;
}
