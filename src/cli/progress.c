/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/progress.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NAME_WIDTH 16
#define BAR_WIDTH 24
#define MAX_BARS 12
#define DEFAULT_WIDTH 80

struct _LmProgress
{
  LmProgressKind kind;
  guint drawn;           /* number of lines with bars above the cursor */
  LmFetchState *states;  /* for LINES: the state of each file that was printed last */
  guint n_states;
  LmFetchWhat what;      /* of the last update */
  gboolean told_busy;    /* for LINES: whether it was printed that a server is busy */
};

static const struct
{
  const char *event, *begun, *done;
} what_names[] = {
  [LM_FETCH_PULL] = { "pull", "pulling", "pulled" },
  [LM_FETCH_IMPORT] = { "import", "importing", "imported" },
  [LM_FETCH_PUBLISH] = { "publish", "copying", "copied" },
  [LM_FETCH_VERIFY] = { "verify", "reading", "read" },
};
static const char *const state_names[] = { "waiting", "transferring", "verifying", "done" };

gboolean
lm_progress_kind (const char *text, LmProgressKind *out_kind)
{
  if (text == NULL || strcmp (text, "auto") == 0)
    *out_kind = isatty (STDERR_FILENO) ? LM_PROGRESS_BARS : LM_PROGRESS_LINES;
  else if (strcmp (text, "json") == 0)
    *out_kind = LM_PROGRESS_JSON;
  else if (strcmp (text, "lines") == 0)
    *out_kind = LM_PROGRESS_LINES;
  else if (strcmp (text, "none") == 0)
    *out_kind = LM_PROGRESS_NONE;
  else
    return FALSE;
  return TRUE;
}

LmProgress *
lm_progress_new (LmProgressKind kind)
{
  LmProgress *progress = g_new0 (LmProgress, 1);
  progress->kind = kind;
  return progress;
}

void
lm_progress_free (LmProgress *progress)
{
  if (progress == NULL)
    return;
  g_free (progress->states);
  g_free (progress);
}

/* A line longer than this would wrap, and the cursor could not move back up to the first bar. */
static guint
terminal_width (void)
{
  struct winsize size;
  return ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : DEFAULT_WIDTH;
}

static void
print_bar (const char *name, guint64 done, guint64 total, const char *note)
{
  g_autofree char *safe = lm_output_safe (name);
  g_autofree char *have = lm_size_format (done);
  g_autofree char *all = lm_size_format (total);
  guint filled = total ? (guint) (done * BAR_WIDTH / total) : BAR_WIDTH;
  char bar[BAR_WIDTH + 1];
  for (guint i = 0; i < BAR_WIDTH; i++)
    bar[i] = i < filled ? '#' : '.';
  bar[BAR_WIDTH] = '\0';
  g_autofree char *line = g_strdup_printf ("%-*.*s [%s] %3u%%  %s of %s  %s", NAME_WIDTH, NAME_WIDTH, safe, bar,
                                           total ? (guint) (done * 100 / total) : 100, have, all, note);
  fprintf (stderr, "\033[K%.*s\n", (int) terminal_width () - 1, line);
}

static void
draw_bars (LmProgress *progress, const LmFetchProgress *fetch)
{
  if (progress->drawn > 0)
    fprintf (stderr, "\033[%uA", progress->drawn);
  progress->drawn = 0;
  for (guint i = 0; i < fetch->n_items && i < MAX_BARS; i++)
    {
      const LmFetchItemProgress *item = &fetch->items[i];
      print_bar (item->blob->name, item->done, item->blob->size,
                 item->other_process ? "by another process"
                 : item->server_busy ? "server is busy"
                 : item->state == LM_FETCH_TRANSFERRING ? ""
                                                        : state_names[item->state]);
      progress->drawn++;
    }
  if (fetch->n_items > 1 || fetch->what == LM_FETCH_VERIFY)
    {
      print_bar ("total", fetch->done, fetch->total, "");
      progress->drawn++;
    }
  fflush (stderr);
}

/* Prints a line when a file begins and when it is done, so that a log stays readable. */
static void
print_lines (LmProgress *progress, const LmFetchProgress *fetch)
{
  if (progress->n_states != fetch->n_items)
    {
      progress->states = g_renew (LmFetchState, progress->states, fetch->n_items);
      progress->n_states = fetch->n_items;
      for (guint i = 0; i < fetch->n_items; i++)
        progress->states[i] = LM_FETCH_WAITING;
    }
  for (guint i = 0; i < fetch->n_items; i++)
    {
      const LmFetchItemProgress *item = &fetch->items[i];
      if (item->server_busy && !progress->told_busy)
        {
          progress->told_busy = TRUE;
          g_autofree char *waiting = lm_output_safe (item->blob->name);
          fprintf (stderr, "%s is waiting because its server is busy with another lamina process\n", waiting);
        }
      if (fetch->what == LM_FETCH_VERIFY && item->state == LM_FETCH_VERIFYING)
        progress->states[i] = LM_FETCH_WAITING; /* this may be another file than the last time */
      if (item->state == progress->states[i] || item->state == LM_FETCH_WAITING || item->state == LM_FETCH_VERIFYING)
        continue;
      progress->states[i] = item->state;
      g_autofree char *size = lm_size_format (item->blob->size);
      g_autofree char *safe = lm_output_safe (item->blob->name);
      fprintf (stderr, "%s %s (%s)%s\n",
               item->state == LM_FETCH_DONE ? what_names[fetch->what].done : what_names[fetch->what].begun, safe, size,
               item->other_process ? " by another process" : "");
    }
}

static void
print_event_json (const LmFetchProgress *fetch)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "event", what_names[fetch->what].event);
  lm_json_add_uint (builder, "done", fetch->done);
  lm_json_add_uint (builder, "total", fetch->total);
  json_builder_set_member_name (builder, "files");
  json_builder_begin_array (builder);
  for (guint i = 0; i < fetch->n_items; i++)
    {
      const LmFetchItemProgress *item = &fetch->items[i];
      g_autofree char *digest = lm_digest_to_string (&item->blob->digest);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "name", item->blob->name);
      lm_json_add_string (builder, "digest", digest);
      lm_json_add_uint (builder, "done", item->done);
      lm_json_add_uint (builder, "size", item->blob->size);
      lm_json_add_string (builder, "state", state_names[item->state]);
      lm_json_add_bool (builder, "other_process", item->other_process);
      lm_json_add_bool (builder, "server_busy", item->server_busy);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, FALSE);
  fprintf (stderr, "%s\n", text);
}

void
lm_progress_update (LmProgress *progress, const LmFetchProgress *fetch)
{
  if (fetch->what != progress->what)
    progress->drawn = progress->n_states = 0;
  progress->what = fetch->what;
  switch (progress->kind)
    {
    case LM_PROGRESS_NONE:
      break;
    case LM_PROGRESS_LINES:
      print_lines (progress, fetch);
      break;
    case LM_PROGRESS_BARS:
      draw_bars (progress, fetch);
      break;
    case LM_PROGRESS_JSON:
      print_event_json (fetch);
      break;
    }
}

void
lm_progress_status (LmProgress *progress, const char *text)
{
  if (progress->kind == LM_PROGRESS_JSON)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "event", "status");
      lm_json_add_string (builder, "text", text);
      json_builder_end_object (builder);
      g_autoptr (JsonNode) root = json_builder_get_root (builder);
      g_autofree char *line = json_to_string (root, FALSE);
      fprintf (stderr, "%s\n", line);
    }
  else if (progress->kind != LM_PROGRESS_NONE)
    {
      g_autofree char *safe = lm_output_safe (text);
      fprintf (stderr, "%s\n", safe);
    }
}
