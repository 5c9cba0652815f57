/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/export.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
print_export_json (const LmExportRequest *request, const LmExportResult *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "file", request->file);
  lm_json_add_string (builder, "source", result->name);
  lm_json_add_uint (builder, "bytes", result->bytes);
  json_builder_set_member_name (builder, "files");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->blobs->len; i++)
    {
      const LmBlob *blob = g_ptr_array_index (result->blobs, i);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "kind", blob->kind == LM_BLOB_LAYER ? "layer" : "blob");
      lm_json_add_string (builder, "name", blob->name);
      lm_json_add_digest (builder, "digest", &blob->digest);
      lm_json_add_uint (builder, "size", blob->size);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_prepare_result_to_json (&result->pulled, builder);
  lm_output_json (builder);
}

static gboolean
check_export_words (const LmExportRequest *request, gboolean json, GError **error)
{
  gboolean to_stdout = strcmp (request->file, "-") == 0;
  if (*request->file == '\0' || g_str_has_suffix (request->file, "/"))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "\"%s\" is not the name of a file", request->file);
  if ((*request->selections == NULL) == (request->machine == NULL))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "give either selections or --machine");
  if (to_stdout && json)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "standard output cannot be both the archive and JSON");
  if (to_stdout && isatty (STDOUT_FILENO))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "the archive cannot be written to a terminal");
  return TRUE;
}

static gboolean
run_cache_export (const LmInvocation *invocation, GError **error)
{
  const char *const *words = lm_args_words (invocation->args);
  const LmExportRequest request = {
    .file = words[0],
    .selections = words + 1,
    .machine = lm_args_get (invocation->args, "machine"),
    .force = lm_args_has (invocation->args, "force"),
    .pull = !lm_args_has (invocation->args, "no-pull"),
  };
  gboolean json = lm_args_has (invocation->args, "json");
  if (!check_export_words (&request, json, error))
    return FALSE;
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmExportResult) result = host ? lm_export (&host->host, &request, invocation->cancellable, error) : NULL;
  if (result == NULL)
    return FALSE;
  if (json)
    {
      print_export_json (&request, result);
      return TRUE;
    }
  g_autofree char *size = lm_size_format (result->bytes);
  g_autofree char *text = g_strdup_printf ("exported %u files, %s", result->blobs->len, size);
  g_autofree char *safe = lm_output_safe (text);
  if (strcmp (request.file, "-") != 0)
    puts (safe);
  return TRUE;
}

static const LmOption options[] = {
  { "machine", 0, LM_OPTION_VALUE, "NAME", "export the chain of this machine", LM_COMPLETE_MACHINE },
  { "no-pull", 0, LM_OPTION_FLAG, NULL, "fail if something is not cached", LM_COMPLETE_NONE },
  { "force", 0, LM_OPTION_FLAG, NULL, "replace an existing file", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_cache_export = {
  .name = "cache export",
  .page = "lamina-cache",
  .synopsis = "FILE [SELECTION...]",
  .summary = "write a chain to an archive for another host",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .options = options,
  .first = LM_COMPLETE_FILE,
  .others = LM_COMPLETE_SELECTION,
  .run = run_cache_export,
};
