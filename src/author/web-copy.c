/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/web-copy.h"
#include "base/size.h"

/* Directories, notes, and the catalog that is replaced. */
#define SPARE (64 * LM_SIZE_KIB)
#define INTERVAL_US (100 * 1000)

typedef struct
{
  const LmHost *host;
  GArray *items; /* LmFetchItemProgress: the files that are copied */
  LmFetchItemProgress *present; /* NULL while a file is added that needs no copy */
  guint64 done, total; /* bytes; without those of the present one */
  gint64 next_report;  /* monotonic time, in microseconds */
} Report;

gboolean
lm_web_copy_check (LmCache *cache, LmWebDir *dir, const GPtrArray *blobs, guint64 more, GPtrArray **out_copied, GError **error)
{
  g_autoptr (GPtrArray) copied = g_ptr_array_new ();
  guint64 needed = lm_size_add (more, SPARE);
  for (guint i = 0; i < blobs->len; i++)
    {
      LmBlob *blob = g_ptr_array_index (blobs, i);
      g_autofree char *from = lm_cache_get_path (cache, blob->kind, &blob->digest);
      gboolean copy;
      if (!lm_web_dir_would_copy (dir, blob, from, &copy, error))
        return FALSE;
      if (!copy)
        continue;
      needed = lm_size_add (needed, blob->size);
      g_ptr_array_add (copied, blob);
    }
  if (!lm_web_dir_check_space (dir, needed, error))
    return FALSE;
  *out_copied = g_steal_pointer (&copied);
  return TRUE;
}

static void
report_progress (Report *report, gboolean always)
{
  const gint64 now = g_get_monotonic_time ();
  if (report->host->progress == NULL || report->items->len == 0 || (!always && now < report->next_report))
    return;
  report->next_report = now + INTERVAL_US;
  const LmFetchProgress progress = {
    .items = (const LmFetchItemProgress *) report->items->data,
    .n_items = report->items->len,
    .done = report->done + (report->present != NULL ? report->present->done : 0),
    .total = report->total,
    .what = LM_FETCH_PUBLISH,
  };
  report->host->progress (&progress, report->host->user_data);
}

static void
on_copied (guint64 bytes, gpointer user_data)
{
  Report *report = user_data;
  if (report->present == NULL) /* it could have been shared a moment ago */
    return;
  report->present->done = bytes;
  report_progress (report, FALSE);
}

static void
begin_file (Report *report, const LmBlob *blob)
{
  report->present = NULL;
  for (guint i = 0; i < report->items->len; i++)
    {
      LmFetchItemProgress *item = &g_array_index (report->items, LmFetchItemProgress, i);
      if (item->blob == blob)
        report->present = item;
    }
  if (report->present == NULL)
    return;
  report->present->state = LM_FETCH_TRANSFERRING;
  report_progress (report, TRUE);
}

static void
end_file (Report *report)
{
  LmFetchItemProgress *item = g_steal_pointer (&report->present);
  if (item == NULL)
    return;
  item->state = LM_FETCH_DONE;
  item->done = item->blob->size;
  report->done += item->done;
  report_progress (report, TRUE);
}

GArray *
lm_web_copy_run (const LmHost *host, LmCache *cache, LmWebDir *dir, const GPtrArray *blobs, const GPtrArray *copied,
                 GCancellable *cancellable, GError **error)
{
  g_autoptr (GArray) hows = g_array_new (FALSE, FALSE, sizeof (LmWebDirHow));
  g_autoptr (GArray) items = g_array_new (FALSE, TRUE, sizeof (LmFetchItemProgress));
  Report report = { .host = host, .items = items };
  for (guint i = 0; i < copied->len; i++)
    {
      const LmFetchItemProgress item = { .blob = g_ptr_array_index (copied, i), .state = LM_FETCH_WAITING };
      g_array_append_val (items, item);
      report.total = lm_size_add (report.total, item.blob->size);
    }
  for (guint i = 0; i < blobs->len; i++)
    {
      const LmBlob *blob = g_ptr_array_index (blobs, i);
      g_autofree char *from = lm_cache_get_path (cache, blob->kind, &blob->digest);
      LmWebDirHow how;
      begin_file (&report, blob);
      if (!lm_web_dir_add (dir, blob, from, on_copied, &report, &how, cancellable, error))
        return NULL;
      end_file (&report);
      g_array_append_val (hows, how);
    }
  return g_steal_pointer (&hows);
}
