/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/prepare.h"

#include <stdio.h>

static gboolean
run_pull (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmPlan) plan
    = host ? lm_prepare_plan (&host->host, lm_args_words (invocation->args), invocation->cancellable, error) : NULL;
  LmPrepareResult result;
  if (plan == NULL || !lm_prepare_pull (&host->host, plan, &result, NULL, invocation->cancellable, error))
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();
      json_builder_begin_object (builder);
      lm_json_add_strv (builder, "selections", plan->selections);
      lm_prepare_result_to_json (&result, builder);
      lm_output_json (builder);
      return TRUE;
    }
  g_autofree char *text = lm_prepare_result_to_text (&result);
  puts (text);
  return TRUE;
}

const LmVerb lm_verb_pull = {
  .name = "pull",
  .page = "lamina-cache",
  .synopsis = "SELECTION...",
  .summary = "pull the selected layers into the cache",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .first = LM_COMPLETE_SELECTION,
  .others = LM_COMPLETE_SELECTION,
  .run = run_pull,
};
