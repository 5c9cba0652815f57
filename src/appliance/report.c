/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/report.h"
#include "base/fd.h"
#include "base/json.h"

#include <unistd.h>

static JsonBuilder *
open_event (const char *event, guint step)
{
  JsonBuilder *builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "event", event);
  if (step > 0)
    lm_json_add_uint (builder, "step", step);
  return builder;
}

/* Writes the event and frees @builder. When nobody reads, nothing is left to be told. */
static void
send_event (JsonBuilder *builder)
{
  json_builder_end_object (builder);
  JsonNode *root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, FALSE);
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  json_node_unref (root);
  g_object_unref (builder);
  if (!lm_fd_write_all (STDOUT_FILENO, line, strlen (line), NULL))
    _exit (1);
}

void
lm_report_begin (guint step, guint of, const char *label)
{
  JsonBuilder *builder = open_event ("begin", step);
  lm_json_add_uint (builder, "of", of);
  lm_json_add_string (builder, "label", label);
  send_event (builder);
}

void
lm_report_end (guint step, guint of, const char *label, guint64 ms, gboolean skipped)
{
  JsonBuilder *builder = open_event ("end", step);
  lm_json_add_uint (builder, "of", of);
  lm_json_add_string (builder, "label", label);
  lm_json_add_uint (builder, "ms", ms);
  lm_json_add_bool (builder, "skipped", skipped);
  send_event (builder);
}

void
lm_report_result (guint step, const void *data, gsize size)
{
  JsonBuilder *builder = open_event ("result", step);
  g_autofree char *content = data != NULL ? g_base64_encode (data, size) : NULL;
  lm_json_add_string (builder, "content", content);
  send_event (builder);
}

void
lm_report_output (guint step, int status, const char *output)
{
  JsonBuilder *builder = open_event ("output", step);
  g_autofree char *valid = g_utf8_make_valid (output, -1);
  lm_json_add_uint (builder, "status", (guint64) MAX (status, 0));
  lm_json_add_string (builder, "output", valid);
  send_event (builder);
}

void
lm_report_failure (guint step, const char *label, const GError *error)
{
  static const char *const kinds[] = { "failed", "missing", "image", "command", "no-space" };
  JsonBuilder *builder = open_event ("failure", step);
  g_autofree char *valid = g_utf8_make_valid (error->message, -1);
  lm_json_add_string (builder, "label", label);
  lm_json_add_string (builder, "kind", kinds[error->domain == LM_GUEST_ERROR ? error->code : 0]);
  lm_json_add_string (builder, "message", valid);
  send_event (builder);
}

void
lm_report_done (void)
{
  send_event (open_event ("done", 0));
}
