/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/flatten.h"
#include "base/error.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/host.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

static const char *const formats[] = { [LM_STANDALONE_QCOW2] = "qcow2", [LM_STANDALONE_RAW] = "raw" };

static void
print_json (const LmFlattenRequest *request, const LmFlattenResult *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "file", request->file);
  lm_json_add_string (builder, "format", formats[request->format]);
  lm_json_add_uint (builder, "virtual_size", result->virtual_size);
  lm_json_add_uint (builder, "size", result->size);
  lm_json_add_uint (builder, "allocated", result->allocated);
  lm_json_add_string (builder, "kernel", result->kernel);
  lm_json_add_string (builder, "initrd", result->initrd);
  lm_json_add_string (builder, "cmdline", result->cmdline);
  lm_output_json (builder);
}

static void
print_line (const char *title, const char *value)
{
  if (value == NULL)
    return;
  g_autofree char *safe = lm_output_safe (value);
  printf ("  %-12s %s\n", title, safe);
}

static void
print_result (const LmFlattenRequest *request, const LmFlattenResult *result)
{
  g_autofree char *file = lm_output_safe (request->file);
  g_autofree char *allocated = lm_size_format (result->allocated), *disk = lm_size_format (result->virtual_size);
  printf ("%s: %s, %s, a disk of %s\n", file, formats[request->format], allocated, disk);
  if (result->kernel == NULL)
    return;
  puts ("It does not boot by itself. A virtual machine needs, besides this disk:");
  print_line ("kernel", result->kernel);
  print_line ("initrd", result->initrd);
  print_line ("command line", result->cmdline != NULL ? result->cmdline : "(no catalog says it)");
}

static gboolean
read_request (LmArgs *args, LmFlattenRequest *request, GError **error)
{
  const char *format = lm_args_get (args, "format");
  request->file = lm_args_get (args, "output");
  request->selections = lm_args_words (args);
  request->machine = lm_args_get (args, "machine");
  request->force = lm_args_has (args, "force");
  request->boot_files = lm_args_has (args, "boot-files");
  if (request->file == NULL || *request->file == '\0' || strcmp (request->file, "-") == 0 || g_str_has_suffix (request->file, "/"))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--output FILE says which file is to be written; standard output is not possible");
  if ((*request->selections == NULL) == (request->machine == NULL))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "give either selections or --machine");
  if (format != NULL && strcmp (format, "raw") != 0 && strcmp (format, "qcow2") != 0)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--format: write qcow2 or raw");
  request->format = g_strcmp0 (format, "raw") == 0 ? LM_STANDALONE_RAW : LM_STANDALONE_QCOW2;
  return TRUE;
}

static gboolean
run_flatten (const LmInvocation *invocation, GError **error)
{
  LmFlattenRequest request = { NULL };
  if (!read_request (invocation->args, &request, error))
    return FALSE;
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmVirt) virt = host != NULL && request.machine != NULL ? lm_cli_connect (host, error) : NULL;
  if (host == NULL || (request.machine != NULL && virt == NULL))
    return FALSE;
  g_autoptr (LmFlattenResult) result = lm_flatten_run (&host->host, virt, &request, invocation->cancellable, error);
  if (result == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    print_json (&request, result);
  else
    print_result (&request, result);
  return TRUE;
}

static const LmOption options[] = {
  { "output", 'o', LM_OPTION_VALUE, "FILE", "the file to be written", LM_COMPLETE_FILE },
  { "format", 0, LM_OPTION_VALUE, "FORMAT", "qcow2 (default) or raw", LM_COMPLETE_IMAGE_FORMAT },
  { "machine", 0, LM_OPTION_VALUE, "NAME", "write the disk of this machine, which is shut off", LM_COMPLETE_MACHINE },
  { "boot-files", 0, LM_OPTION_FLAG, NULL, "also write kernel and initrd, if the disk needs them", LM_COMPLETE_NONE },
  { "force", 0, LM_OPTION_FLAG, NULL, "replace existing files", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_flatten = {
  .name = "flatten",
  .page = "lamina-layers",
  .synopsis = "[SELECTION...]",
  .summary = "write a chain or a machine's disk as one image",
  .min_words = 0,
  .max_words = G_MAXUINT,
  .options = options,
  .first = LM_COMPLETE_SELECTION,
  .others = LM_COMPLETE_SELECTION,
  .run = run_flatten,
};
