/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/publish.h"
#include "base/error.h"
#include "base/json.h"
#include "base/size.h"
#include "catalog/portable.h"
#include "cli/host.h"
#include "cli/output.h"

#include <stdio.h>

#define DAY (24 * 60 * 60)
#define GRACE_DAYS 7

static const char *const how_words[] = {
  [LM_WEB_DIR_THERE] = "there", [LM_WEB_DIR_CLONED] = "cloned", [LM_WEB_DIR_LINKED] = "linked", [LM_WEB_DIR_COPIED] = "copied",
};

static void
print_publish_json (const char *catalog, const LmPublishResult *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "catalog", catalog);
  lm_json_add_bool (builder, "changed", result->changed);
  lm_json_add_uint (builder, "layers", result->layers);
  json_builder_set_member_name (builder, "files");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->files->len; i++)
    {
      const LmPublishFile *file = g_ptr_array_index (result->files, i);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "kind", file->blob.kind == LM_BLOB_LAYER ? "layer" : "blob");
      lm_json_add_string (builder, "name", file->blob.name);
      lm_json_add_digest (builder, "digest", &file->blob.digest);
      lm_json_add_uint (builder, "size", file->blob.size);
      lm_json_add_string (builder, "action", how_words[file->how]);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "removed");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->removed->len; i++)
    json_builder_add_string_value (builder, g_ptr_array_index (result->removed, i));
  json_builder_end_array (builder);
  lm_output_json (builder);
}

static void
print_publish (const char *catalog, const LmPublishResult *result)
{
  guint fresh = 0;
  guint64 bytes = 0;
  for (guint i = 0; i < result->files->len; i++)
    {
      const LmPublishFile *file = g_ptr_array_index (result->files, i);
      fresh += file->how != LM_WEB_DIR_THERE ? 1 : 0;
      bytes += file->how != LM_WEB_DIR_THERE ? file->blob.size : 0;
    }
  g_autofree char *size = lm_size_format (bytes);
  printf ("%u new %s, %s; %u there before\n", fresh, fresh == 1 ? "file" : "files", size, result->files->len - fresh);
  if (result->removed->len > 0)
    printf ("%u unused %s removed\n", result->removed->len, result->removed->len == 1 ? "file" : "files");
  printf ("%s %s: %u %s\n", catalog, result->changed ? "was written" : "is unchanged", result->layers,
          result->layers == 1 ? "layer" : "layers");
}

static gboolean
run_publish (const LmInvocation *invocation, GError **error)
{
  LmArgs *args = invocation->args;
  LmPublishRequest request = {
    .dir = lm_args_words (args)[0], .names = lm_args_words (args) + 1, .force = lm_args_has (args, "force"), .prune_seconds = -1,
  };
  const char *prune = lm_args_get (args, "prune");
  guint64 days = GRACE_DAYS;
  if (prune != NULL && !g_ascii_string_to_unsigned (prune, 10, 0, 36500, &days, NULL))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--prune: \"%s\" is not a number of days", prune);
  if (lm_args_has (args, "prune"))
    request.prune_seconds = (gint64) days * DAY;
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmPublishResult) result = host != NULL ? lm_publish (&host->host, &request, invocation->cancellable, error) : NULL;
  if (result == NULL)
    return FALSE;
  g_autofree char *catalog = g_build_filename (request.dir, LM_PORTABLE_CATALOG, NULL);
  if (lm_args_has (args, "json"))
    print_publish_json (catalog, result);
  else
    print_publish (catalog, result);
  return TRUE;
}

static const LmOption options[] = {
  { "force", 0, LM_OPTION_FLAG, NULL, "replace what is published with other content", LM_COMPLETE_NONE },
  { "prune", 0, LM_OPTION_OPTIONAL, "DAYS", "remove files that have been unused for so long (default: 7)", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_publish = {
  .name = "publish",
  .page = "lamina-layers",
  .synopsis = "DIR [NAME[@VERSION]...]",
  .summary = "write layers and a catalog to a directory for a web server",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .options = options,
  .first = LM_COMPLETE_DIRECTORY,
  .others = LM_COMPLETE_SELECTION,
  .run = run_publish,
};
