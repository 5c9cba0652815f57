/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/export.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hasher.h"
#include "base/size.h"
#include "catalog/portable.h"
#include "io/tar.h"
#include "machine/chain.h"
#include "ops/cache-view.h"
#include "ops/export-chain.h"
#include "ops/output-file.h"
#include "ops/prepare.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE (1024 * 1024)

G_DEFINE_QUARK (lm-export-error-quark, lm_export_error)

void
lm_export_result_free (LmExportResult *result)
{
  if (result == NULL)
    return;
  g_free (result->name);
  g_ptr_array_unref (result->blobs);
  g_free (result);
}

static LmExportChain *
find_chain (const LmHost *host, const LmExportRequest *request, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmCatalogSet) set = lm_prepare_catalogs (host, cancellable, error);
  if (set == NULL)
    return NULL;
  if (request->machine != NULL)
    {
      g_autoptr (LmMachine) machine = lm_machine_find (host->state_dir, request->machine, NULL, error);
      return machine != NULL ? lm_export_chain_of_machine (host, set, machine) : NULL;
    }
  g_autoptr (LmPlan) plan = lm_prepare_plan_over (host, set, request->selections, cancellable, error);
  return plan != NULL ? lm_export_chain_of_plan (set, plan) : NULL;
}

/* Without pulling: what is missing is an error. */
static gboolean
check_cached (LmCache *cache, const LmExportChain *chain, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) layers = g_ptr_array_new ();
  guint missing = 0;
  const char *first = NULL;
  for (guint i = 0; i < chain->blobs->len; i++)
    {
      LmBlob *blob = g_ptr_array_index (chain->blobs, i);
      LmCacheState state;
      if (!lm_cache_check (cache, blob, &state, cancellable, error))
        return FALSE;
      if (state != LM_CACHE_PRESENT && missing++ == 0)
        first = blob->name;
      if (blob->kind == LM_BLOB_LAYER)
        g_ptr_array_add (layers, blob);
    }
  if (missing > 0)
    return lm_throw (error, LM_EXPORT_ERROR, LM_EXPORT_ERROR_NOT_CACHED,
                     "%s is not in the cache%s; without --no-pull it would be pulled", first,
                     missing > 1 ? ", and others are not either" : "");
  return lm_chain_check (cache, layers, NULL, cancellable, error);
}

static gboolean
write_blob (LmTarWriter *writer, int fd, const LmBlob *blob, GCancellable *cancellable, GError **error)
{
  g_autofree char *name = lm_portable_file_name (blob->kind, &blob->digest);
  g_autofree char *buffer = g_malloc (READ_SIZE);
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  LmDigest got;
  if (!lm_tar_writer_begin (writer, name, blob->size, error))
    return FALSE;
  for (guint64 left = blob->size; left > 0;)
    {
      gsize n, want = (gsize) MIN (left, READ_SIZE);
      if (g_cancellable_set_error_if_cancelled (cancellable, error) || !lm_fd_read_full (fd, buffer, want, &n, error))
        return FALSE;
      if (n < want)
        break;
      lm_hasher_update (hasher, buffer, n);
      if (!lm_tar_writer_write (writer, buffer, n, error))
        return FALSE;
      left -= n;
    }
  lm_hasher_peek (hasher, &got);
  return lm_digest_equal (&got, &blob->digest)
         || lm_throw (error, LM_EXPORT_ERROR, LM_EXPORT_ERROR_CHANGED,
                      "%s: the contents of the cached file do not match its digest; try again, so that it is pulled again",
                      blob->name);
}

static gboolean
write_catalog (LmTarWriter *writer, LmExportChain *chain, GError **error)
{
  char *text = lm_export_chain_to_json (chain);
  g_autoptr (GBytes) bytes = g_bytes_new_take (text, strlen (text));
  /* What another host would refuse must not be written. */
  g_autoptr (LmCatalog) checked = lm_portable_parse (bytes, "the catalog of the archive", error);
  return checked != NULL && lm_tar_writer_begin (writer, LM_PORTABLE_CATALOG, strlen (text), error)
         && lm_tar_writer_write (writer, text, strlen (text), error);
}

/* Opens the files, so that nothing can replace them any more, and gets their sizes. */
static GArray *
open_blobs (LmCache *cache, LmExportChain *chain, GError **error)
{
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_set_clear_func (fds, (GDestroyNotify) lm_fd_clear);
  for (guint i = 0; i < chain->blobs->len; i++)
    {
      const LmBlob *blob = g_ptr_array_index (chain->blobs, i);
      g_autofree char *path = lm_cache_get_path (cache, blob->kind, &blob->digest);
      int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
      struct stat st;
      if (fd < 0)
        return lm_throw_errno_null (error, "cannot open %s", path);
      g_array_append_val (fds, fd);
      if (fstat (fd, &st) < 0)
        return lm_throw_errno_null (error, "cannot stat %s", path);
      lm_export_chain_set_size (chain, i, (guint64) st.st_size);
    }
  return g_steal_pointer (&fds);
}

static gboolean
write_archive (const LmHost *host, LmCache *cache, LmExportChain *chain, const LmOutputFile *target, GCancellable *cancellable,
               GError **error)
{
  const char *shown = lm_output_file_get_shown (target);
  g_autoptr (GArray) fds = open_blobs (cache, chain, error);
  g_autoptr (LmTarWriter) writer = fds != NULL ? lm_tar_writer_new (lm_output_file_get_fd (target), shown) : NULL;
  if (writer == NULL)
    return FALSE;
  g_autofree char *text = g_strdup_printf ("writing %u %s to %s", chain->blobs->len, chain->blobs->len == 1 ? "file" : "files", shown);
  host->status (host->user_data, text);
  if (!write_catalog (writer, chain, error))
    return FALSE;
  for (guint i = 0; i < chain->blobs->len; i++)
    if (!write_blob (writer, g_array_index (fds, int, i), g_ptr_array_index (chain->blobs, i), cancellable, error))
      return FALSE;
  return lm_tar_writer_finish (writer, error);
}

LmExportResult *
lm_export (const LmHost *host, const LmExportRequest *request, GCancellable *cancellable, GError **error)
{
  LmPrepareResult pulled = { 0 };
  if (!lm_output_file_check (request->file, request->force, error))
    return NULL;
  g_autoptr (LmExportChain) chain = find_chain (host, request, cancellable, error);
  g_autoptr (LmCache) cache = chain != NULL ? lm_cache_open (host->state_dir, &host->cache, error) : NULL;
  g_autoptr (LmLock) lease = cache != NULL ? lm_cache_lease (cache, chain->blobs, cancellable, error) : NULL;
  if (lease == NULL)
    return NULL;
  if (request->pull ? !lm_prepare_recorded (host, cache, chain->blobs, &pulled, cancellable, error)
                    : !check_cached (cache, chain, cancellable, error))
    return NULL;
  g_autoptr (LmOutputFile) target = lm_output_file_open (request->file, error);
  if (target == NULL || !write_archive (host, cache, chain, target, cancellable, error)
      || !lm_output_file_publish (target, request->force, error))
    return NULL;
  LmExportResult *result = g_new0 (LmExportResult, 1);
  result->name = g_steal_pointer (&chain->name);
  result->blobs = g_ptr_array_ref (chain->blobs);
  result->pulled = pulled;
  for (guint i = 0; i < result->blobs->len; i++)
    result->bytes += ((LmBlob *) g_ptr_array_index (result->blobs, i))->size;
  return result;
}
