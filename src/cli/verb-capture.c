/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/capture.h"
#include "base/error.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/host.h"
#include "cli/output.h"

#include <stdio.h>

static const struct
{
  const char *word;
  const char *text;
} actions[] = {
  [LM_CAPTURE_UNCHANGED] = { "unchanged", "is there already" },
  [LM_CAPTURE_UPDATED] = { "updated", "is there already; the catalog was updated" },
  [LM_CAPTURE_MADE] = { "captured", "captured" },
};

static void
print_json (const LmCaptureRequest *request, const LmCaptureResult *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", result->name);
  lm_json_add_string (builder, "version", result->version);
  lm_json_add_string (builder, "group", result->group);
  lm_json_add_string (builder, "machine", request->machine);
  lm_json_add_string (builder, "action", actions[result->action].word);
  lm_json_add_bool (builder, "scrubbed", request->scrub);
  lm_json_add_digest (builder, "digest", &result->blob.digest);
  lm_json_add_uint (builder, "size", result->blob.size);
  lm_json_add_strv (builder, "chain", result->chain);
  lm_json_add_strv (builder, "packages", result->packages);
  lm_json_add_strv (builder, "removed", result->removed);
  lm_output_json (builder);
}

static void
print_result (const LmCaptureResult *result)
{
  g_autofree char *size = lm_size_format (result->blob.size);
  g_autofree char *digest = lm_digest_to_string (&result->blob.digest);
  g_autofree char *chain = g_strjoinv (", ", result->chain);
  const guint n = result->packages != NULL ? g_strv_length (result->packages) : 0;
  printf ("%s@%s %s: %s, %u package%s, %s\n", result->name, result->version, actions[result->action].text, size, n, n == 1 ? "" : "s",
          digest);
  printf ("  on %s\n", chain);
}

static gboolean
run_capture (const LmInvocation *invocation, GError **error)
{
  LmArgs *args = invocation->args;
  const LmCaptureRequest request = {
    .machine = lm_args_words (args)[0],
    .as = lm_args_get (args, "as"),
    .group = lm_args_get (args, "group"),
    .summary = lm_args_get (args, "summary"),
    .ready = lm_args_get (args, "ready"),
    .provides = lm_args_get_all (args, "provides"),
    .scrub = !lm_args_has (args, "no-scrub"),
    .appliance = { .program = invocation->settings->appliance_program, .virt_type = invocation->settings->virt_type },
  };
  if (request.as == NULL)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--as NAME@VERSION says what the layer is called");
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmVirt) virt = host != NULL ? lm_cli_connect (host, error) : NULL;
  g_autoptr (LmCaptureResult) result
    = virt != NULL ? lm_capture_run (&host->host, virt, &request, invocation->cancellable, error) : NULL;
  if (result == NULL)
    return FALSE;
  if (lm_args_has (args, "json"))
    print_json (&request, result);
  else
    print_result (result);
  return TRUE;
}

static const LmOption options[] = {
  { "as", 0, LM_OPTION_VALUE, "NAME@VERSION", "what the layer is called", LM_COMPLETE_NONE },
  { "group", 0, LM_OPTION_VALUE, "NAME", "its group; default: the name of the layer", LM_COMPLETE_NONE },
  { "no-scrub", 0, LM_OPTION_FLAG, NULL, "keep logs, host keys and all that makes the machine one of its own", LM_COMPLETE_NONE },
  { "ready", 0, LM_OPTION_VALUE, "TEXT", "what appears on its console when it is up; default: as the layers below", LM_COMPLETE_NONE },
  { "summary", 0, LM_OPTION_VALUE, "TEXT", "description for people", LM_COMPLETE_NONE },
  { "provides", 0, LM_OPTION_VALUE | LM_OPTION_MULTIPLE, "NAME[=VERSION]", "what it also provides to other layers", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_capture = {
  .name = "capture",
  .page = "lamina-layers",
  .synopsis = "NAME",
  .summary = "make a layer of what a machine has changed",
  .min_words = 1,
  .max_words = 1,
  .options = options,
  .first = LM_COMPLETE_MACHINE,
  .run = run_capture,
};
