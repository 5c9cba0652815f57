/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/check.h"
#include "base/content.h"
#include "base/error.h"
#include "base/text.h"
#include "base/url.h"
#include "fetch/download.h"
#include "source/source.h"
#include "store/store.h"

#include <sys/stat.h>

#define CATALOG_SIZE_MAX (256 * 1024 * 1024)
#define SECONDS 600

/* Sets *out_size to the size of the file at @url. */
static gboolean
ask_size (const char *url, gboolean *out_has_size, guint64 *out_size, GCancellable *cancellable, GError **error)
{
  struct stat st;
  if (lm_store_class_of (url, NULL) != &lm_store_file_class)
    return lm_download_ask (url, out_has_size, out_size, cancellable, error);
  g_autofree char *path = g_filename_from_uri (url, NULL, error);
  if (path == NULL)
    return FALSE;
  if (stat (path, &st) < 0)
    return lm_throw_errno (error, "%s", path);
  *out_has_size = TRUE;
  *out_size = (guint64) st.st_size;
  return TRUE;
}

static gboolean
check_url (LmCatalogReport *report, const LmCatalogFile *file, const char *url, GCancellable *cancellable, GError **error)
{
  gboolean has_size;
  guint64 size;
  g_autoptr (GError) failure = NULL;
  g_autofree char *shown = lm_url_redact (url);
  if (ask_size (url, &has_size, &size, cancellable, &failure))
    {
      if (has_size && file->size > 0 && size != file->size)
        lm_catalog_report_add (report, file->line, FALSE, "%s has %" G_GUINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT, shown, size, file->size);
      return TRUE;
    }
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  lm_catalog_report_add (report, file->line, FALSE, "%s", failure->message);
  return TRUE;
}

static gboolean
check_online (LmCatalogReport *report, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < report->files->len; i++)
    {
      const LmCatalogFile *file = g_ptr_array_index (report->files, i);
      for (char **url = file->urls; *url != NULL; url++)
        if (!check_url (report, file, *url, cancellable, error))
          return FALSE;
    }
  lm_catalog_report_sort (report);
  return TRUE;
}

LmCatalogReport *
lm_check_catalog (const LmHost *host, const char *url_or_file, gboolean online, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *url = lm_source_url_of (url_or_file, error);
  if (url == NULL)
    return NULL;
  g_autoptr (LmCatalogSet) others = lm_source_load_extra (host->state_dir, host->catalogs, warnings, cancellable, error);
  for (guint i = 0; i < warnings->len; i++)
    host->warning (host->user_data, g_ptr_array_index (warnings, i));
  const LmStoreRead request = { .url = url, .max_size = CATALOG_SIZE_MAX, .seconds = SECONDS };
  g_autoptr (LmStoreObject) object = others != NULL ? lm_store_read (&request, cancellable, error) : NULL;
  if (object == NULL)
    return NULL;
  g_autoptr (GBytes) normal = lm_text_normalize (object->body);
  gsize size;
  const char *text = g_bytes_get_data (normal, &size), *advice = NULL;
  const char *what = size > 0 ? lm_content_recognize (text, size, &advice) : NULL;
  if (what != NULL)
    {
      g_autofree char *shown = lm_url_redact (url_or_file);
      return lm_throw_null (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH, "%s is %s, not a catalog; %s", shown, what, advice);
    }
  g_autofree char *base = lm_url_inherit_credentials (url, object->url);
  g_autoptr (LmCatalogReport) report = lm_catalog_check (base, text != NULL ? text : "", size, others);
  if (online && !check_online (report, cancellable, error))
    return NULL;
  return g_steal_pointer (&report);
}
