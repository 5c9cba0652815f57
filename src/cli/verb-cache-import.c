/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/import.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct
{
  const char *word;
  const char *text;
} changes[] = {
  [LM_SOURCE_IMPORT_LISTED] = { "listed", "the catalog source %s lists them already" },
  [LM_SOURCE_IMPORT_UNCHANGED] = { "unchanged", "the catalog source %s is unchanged" },
  [LM_SOURCE_IMPORT_CHANGED] = { "changed", "added to the catalog source %s" },
  [LM_SOURCE_IMPORT_NEW] = { "added", "catalog source %s" },
};

static void
print_import_json (const LmImportResult *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "source", result->source);
  lm_json_add_string (builder, "source_change", changes[result->change].word);
  json_builder_set_member_name (builder, "files");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->files->len; i++)
    {
      const LmImportFile *file = g_ptr_array_index (result->files, i);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "kind", file->blob.kind == LM_BLOB_LAYER ? "layer" : "blob");
      lm_json_add_string (builder, "name", file->blob.name);
      lm_json_add_digest (builder, "digest", &file->blob.digest);
      lm_json_add_uint (builder, "size", file->blob.size);
      lm_json_add_string (builder, "action", file->cached ? "cached" : "imported");
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_output_json (builder);
}

static void
print_import (const LmImportResult *result)
{
  guint cached = 0;
  guint64 bytes = 0;
  for (guint i = 0; i < result->files->len; i++)
    {
      const LmImportFile *file = g_ptr_array_index (result->files, i);
      cached += file->cached ? 1 : 0;
      bytes += file->cached ? 0 : file->blob.size;
    }
  guint imported = result->files->len - cached;
  g_autofree char *size = lm_size_format (bytes);
  printf ("imported %u %s, %s; %u cached before\n", imported, imported == 1 ? "file" : "files", size, cached);
  g_auto (GStrv) parts = g_strsplit (changes[result->change].text, "%s", 2);
  printf ("%s%s%s\n", parts[0], result->source, parts[1]);
}

static gboolean
run_cache_import (const LmInvocation *invocation, GError **error)
{
  const char *file = lm_args_words (invocation->args)[0];
  if (strcmp (file, "-") == 0 && isatty (STDIN_FILENO))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "the archive cannot be read from a terminal");
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmImportResult) result
    = host ? lm_import (&host->host, file, lm_args_get (invocation->args, "as"), invocation->cancellable, error) : NULL;
  if (result == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    print_import_json (result);
  else
    print_import (result);
  return TRUE;
}

static const LmOption options[] = {
  { "as", 0, LM_OPTION_VALUE, "NAME", "name of the catalog source", LM_COMPLETE_SOURCE },
  { NULL },
};

const LmVerb lm_verb_cache_import = {
  .name = "cache import",
  .page = "lamina-cache",
  .synopsis = "FILE",
  .summary = "take in a chain from an archive of another host",
  .min_words = 1,
  .max_words = 1,
  .options = options,
  .first = LM_COMPLETE_FILE,
  .run = run_cache_import,
};
