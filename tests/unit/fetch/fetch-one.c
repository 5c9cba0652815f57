/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs lm_fetch_run() as a program, for tests that need several processes:
 *
 *   fetch-one [--progress] [--transfers N] [--stall SECONDS] [--busy SECONDS]
 *             [--cancel-at BYTES] STATE-DIR SPEC...
 *
 * SPEC: "layer|blob DIGEST SIZE PARENT|- URL...", one argument with spaces. Prints
 * "ok FILES BYTES" or "error CODE MESSAGE". */
#include "config.h"
#include "fetch/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const codes[] = {
  [LM_FETCH_ERROR_SOURCE] = "source", [LM_FETCH_ERROR_DIGEST] = "digest",     [LM_FETCH_ERROR_REFUSED] = "refused",
  [LM_FETCH_ERROR_BUSY] = "busy",     [LM_FETCH_ERROR_NO_SPACE] = "no-space", [LM_FETCH_ERROR_FAILED] = "failed",
};

static const char *const states[] = { "waiting", "transferring", "verifying", "done" };

typedef struct
{
  gboolean print;
  guint64 cancel_at;
  GCancellable *cancellable;
} Watch;

static void
on_progress (const LmFetchProgress *progress, gpointer user_data)
{
  Watch *watch = user_data;
  for (guint i = 0; watch->print && i < progress->n_items; i++)
    {
      const LmFetchItemProgress *one = &progress->items[i];
      printf ("%s %s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s %s\n", one->blob->name, states[one->state], one->done,
              one->blob->size, one->other_process ? "other-process" : one->server_busy ? "server-busy" : "here",
              one->url ? one->url : "-");
    }
  fflush (stdout);
  if (watch->cancel_at > 0 && progress->done >= watch->cancel_at)
    g_cancellable_cancel (watch->cancellable);
}

static void
add_blob (GPtrArray *blobs, const char *spec)
{
  g_auto (GStrv) words = g_strsplit (spec, " ", -1);
  g_assert_cmpuint (g_strv_length (words), >=, 4);
  LmBlob *blob = g_new0 (LmBlob, 1);
  blob->kind = strcmp (words[0], "layer") == 0 ? LM_BLOB_LAYER : LM_BLOB_FILE;
  g_assert_true (lm_digest_parse (words[1], &blob->digest, NULL));
  blob->size = g_ascii_strtoull (words[2], NULL, 10);
  blob->has_parent = strcmp (words[3], "-") != 0;
  if (blob->has_parent)
    g_assert_true (lm_digest_parse (words[3], &blob->parent, NULL));
  blob->urls = g_strdupv (words + 4);
  blob->name = g_strdup_printf ("f%u", blobs->len);
  g_ptr_array_add (blobs, blob);
}

int
main (int argc, char **argv)
{
  gboolean print = FALSE;
  int transfers = 0, stall = 0, busy = 0;
  gint64 cancel_at = 0;
  const GOptionEntry entries[] = {
    { "progress", 0, 0, G_OPTION_ARG_NONE, &print, NULL, NULL },
    { "transfers", 0, 0, G_OPTION_ARG_INT, &transfers, NULL, NULL },
    { "stall", 0, 0, G_OPTION_ARG_INT, &stall, NULL, NULL },
    { "busy", 0, 0, G_OPTION_ARG_INT, &busy, NULL, NULL },
    { "cancel-at", 0, 0, G_OPTION_ARG_INT64, &cancel_at, NULL, NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, NULL) || argc < 2)
    return 2;

  g_autoptr (GError) error = NULL;
  g_autoptr (LmCache) cache = lm_cache_open (argv[1], NULL, &error);
  if (cache == NULL)
    {
      printf ("error failed %s\n", error->message);
      return 1;
    }
  g_autoptr (GPtrArray) blobs = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_blob_free);
  for (int i = 2; i < argc; i++)
    add_blob (blobs, argv[i]);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Watch watch = { print, (guint64) cancel_at, cancellable };
  LmFetchOptions options = {
    .transfers = (guint) transfers,
    .busy_seconds = (guint) busy,
    .progress_ms = 20,
    .http = { .connect_seconds = 5, .stall_seconds = (guint) stall, .stall_bytes = 100 },
  };
  LmFetchTotals totals;
  if (lm_fetch_run (blobs, cache, &options, on_progress, &watch, &totals, cancellable, &error))
    {
      printf ("ok %u %" G_GUINT64_FORMAT "\n", totals.files, totals.bytes);
      return 0;
    }
  printf ("error %s %s\n", error->domain == LM_FETCH_ERROR ? codes[error->code] : "cancelled", error->message);
  return 1;
}
