/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/capture.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/host.h"
#include "cli/layer-result.h"
#include "cli/output.h"

#define MADE "captured"

static void
print_json (const LmCaptureRequest *request, const LmLayerResult *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_layer_result_to_json (result, MADE, builder);
  lm_json_add_string (builder, "machine", request->machine);
  lm_json_add_bool (builder, "scrubbed", request->scrub);
  lm_output_json (builder);
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
  g_autoptr (LmLayerResult) result
    = virt != NULL ? lm_capture_run (&host->host, virt, &request, invocation->cancellable, error) : NULL;
  if (result == NULL)
    return FALSE;
  if (lm_args_has (args, "json"))
    print_json (&request, result);
  else
    lm_layer_result_print (result, MADE);
  return TRUE;
}

static const LmOption options[] = {
  { "as", 0, LM_OPTION_VALUE, "NAME@VERSION", "what the layer is called", LM_COMPLETE_NONE },
  { "group", 0, LM_OPTION_VALUE, "NAME", "its group; default: that of other layers of its name, or its name", LM_COMPLETE_NONE },
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
