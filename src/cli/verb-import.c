/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/host.h"
#include "cli/output.h"
#include "author/base-image.h"

#include <stdio.h>

static const struct
{
  const char *word;
  const char *text;
} actions[] = {
  [LM_BASE_IMAGE_UNCHANGED] = { "unchanged", "is there already" },
  [LM_BASE_IMAGE_UPDATED] = { "updated", "is there already; the catalog was updated" },
  [LM_BASE_IMAGE_IMPORTED] = { "imported", "imported" },
};

static void
print_import_json (const LmBaseImageResult *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", result->name);
  lm_json_add_string (builder, "version", result->version);
  lm_json_add_string (builder, "group", result->group);
  lm_json_add_string (builder, "source", result->source);
  lm_json_add_string (builder, "action", actions[result->action].word);
  lm_json_add_digest (builder, "digest", &result->blob.digest);
  lm_json_add_uint (builder, "size", result->blob.size);
  lm_json_add_uint (builder, "virtual_size", result->virtual_size);
  lm_json_add_string (builder, "origin", result->origin);
  lm_json_add_bool (builder, "verified", result->verified);
  json_builder_set_member_name (builder, "changes");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->changes->len; i++)
    json_builder_add_string_value (builder, g_ptr_array_index (result->changes, i));
  json_builder_end_array (builder);
  lm_output_json (builder);
}

static void
print_import (const LmBaseImageResult *result)
{
  g_autofree char *size = lm_size_format (result->blob.size);
  g_autofree char *digest = lm_digest_to_string (&result->blob.digest);
  printf ("%s@%s %s: %s, %s\n", result->name, result->version, actions[result->action].text, size, digest);
  for (guint i = 0; i < result->changes->len; i++)
    printf ("%s\n", (const char *) g_ptr_array_index (result->changes, i));
}

static gboolean
get_size (LmArgs *args, const char *option, guint64 unit, guint64 *out_size, GError **error)
{
  const char *text = lm_args_get (args, option);
  g_autoptr (GError) failure = NULL;
  *out_size = 0;
  if (text == NULL || text[0] == '\0' || lm_size_parse (text, unit, out_size, &failure))
    return TRUE;
  return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--%s: %s", option, failure->message);
}

static gboolean
run_import (const LmInvocation *invocation, GError **error)
{
  LmArgs *args = invocation->args;
  LmBaseImageRequest request = {
    .url_or_file = lm_args_words (args)[0], .as = lm_args_get (args, "as"), .group = lm_args_get (args, "group"),
    .checksum = lm_args_get (args, "checksum"), .arch = lm_args_get (args, "arch"), .summary = lm_args_get (args, "summary"),
    .osinfo = lm_args_get (args, "osinfo"), .ready = lm_args_get (args, "ready"), .provides = lm_args_get_all (args, "provides"),
    .kernel = lm_args_get (args, "kernel"), .initrd = lm_args_get (args, "initrd"), .cmdline = lm_args_get (args, "cmdline"),
  };
  guint64 memory, disk;
  if (!get_size (args, "memory", LM_SIZE_MIB, &memory, error) || !get_size (args, "disk", LM_SIZE_GIB, &disk, error))
    return FALSE;
  request.memory = lm_args_get (args, "memory") != NULL ? &memory : NULL;
  request.disk = lm_args_get (args, "disk") != NULL ? &disk : NULL;
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmBaseImageResult) result
    = host != NULL ? lm_base_image_import (&host->host, &request, invocation->cancellable, error) : NULL;
  if (result == NULL)
    return FALSE;
  if (lm_args_has (args, "json"))
    print_import_json (result);
  else
    print_import (result);
  return TRUE;
}

static const LmOption options[] = {
  { "as", 0, LM_OPTION_VALUE, "NAME@VERSION", "what the layer is called; default: what the file name says", LM_COMPLETE_NONE },
  { "group", 0, LM_OPTION_VALUE, "NAME", "its group (default: os)", LM_COMPLETE_NONE },
  { "checksum", 0, LM_OPTION_VALUE, "CHECKSUM|URL|FILE", "sha256:... or sha512:..., or a list such as SHA256SUMS", LM_COMPLETE_FILE },
  { "arch", 0, LM_OPTION_VALUE, "ARCH", "its architecture; default: what the file name says, or this host's", LM_COMPLETE_NONE },
  { "osinfo", 0, LM_OPTION_VALUE, "ID", "operating system, a short id of libosinfo", LM_COMPLETE_NONE },
  { "ready", 0, LM_OPTION_VALUE, "TEXT", "what appears on its console when it is up, such as login:", LM_COMPLETE_NONE },
  { "memory", 0, LM_OPTION_VALUE, "SIZE", "memory that it needs (default unit: MiB)", LM_COMPLETE_NONE },
  { "disk", 0, LM_OPTION_VALUE, "SIZE", "disk size that it needs (default unit: GiB)", LM_COMPLETE_NONE },
  { "summary", 0, LM_OPTION_VALUE, "TEXT", "description for people", LM_COMPLETE_NONE },
  { "provides", 0, LM_OPTION_VALUE | LM_OPTION_MULTIPLE, "NAME[=VERSION]", "what it also provides to other layers", LM_COMPLETE_NONE },
  { "kernel", 0, LM_OPTION_VALUE, "FILE", "kernel, for a disk that does not boot by itself", LM_COMPLETE_FILE },
  { "initrd", 0, LM_OPTION_VALUE, "FILE", "initial RAM disk of that kernel", LM_COMPLETE_FILE },
  { "cmdline", 0, LM_OPTION_VALUE, "TEXT", "command line of that kernel", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_import = {
  .name = "import",
  .page = "lamina-layers",
  .synopsis = "URL|FILE",
  .summary = "make a base layer of a published disk image",
  .min_words = 1,
  .max_words = 1,
  .options = options,
  .first = LM_COMPLETE_FILE,
  .run = run_import,
};
