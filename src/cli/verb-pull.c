/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/inventory.h"
#include "ops/prepare.h"
#include "ops/supply.h"

#include <stdio.h>

static const LmOption options[] = {
  { "machine", 0, LM_OPTION_VALUE, "NAME|UUID", "pull the layers that this machine has, instead of selections",
    LM_COMPLETE_MACHINE },
  LM_BUILD_OPTION,
  { NULL },
};

static char **
pull_selections (const LmInvocation *invocation, const LmHost *host, LmPrepareResult *out_result, GError **error)
{
  g_autoptr (LmPlan) plan = lm_prepare_plan (host, lm_args_words (invocation->args), invocation->cancellable, error);
  if (plan == NULL || !lm_prepare_pull (host, plan, out_result, NULL, invocation->cancellable, error))
    return NULL;
  return g_strdupv (plan->selections);
}

/* Asks libvirt only if no record has the name, because its domain may have been renamed. */
static LmMachine *
find_machine (const LmCliHost *host, const char *name, GError **error)
{
  const char *state_dir = host->host.state_dir;
  g_autoptr (GError) missing = NULL;
  if (g_uuid_string_is_valid (name))
    return lm_machine_load (state_dir, name, error);
  g_autoptr (LmMachine) machine = lm_machine_find (state_dir, name, NULL, &missing);
  if (machine != NULL)
    return g_steal_pointer (&machine);
  g_autoptr (LmVirt) virt = g_error_matches (missing, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND) ? lm_cli_connect (host, NULL) : NULL;
  g_autoptr (LmInventoryEntry) entry = virt != NULL ? lm_inventory_find (&host->host, virt, name, NULL) : NULL;
  if (entry != NULL)
    return g_steal_pointer (&entry->machine);
  g_propagate_error (error, g_steal_pointer (&missing));
  return NULL;
}

static char **
pull_machine (const LmInvocation *invocation, const LmCliHost *host, const char *name, LmPrepareResult *out_result,
              GError **error)
{
  g_autoptr (LmMachine) machine = find_machine (host, name, error);
  if (machine == NULL || !lm_supply_layers (&host->host, machine, out_result, invocation->cancellable, error))
    return NULL;
  return g_strdupv (machine->resolved);
}

static gboolean
run_pull (const LmInvocation *invocation, GError **error)
{
  const char *name = lm_args_get (invocation->args, "machine");
  gboolean words = lm_args_words (invocation->args)[0] != NULL;
  if ((name != NULL) == words)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "pull needs either selections or --machine");
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  if (host == NULL)
    return FALSE;
  LmPrepareResult result;
  g_auto (GStrv) selections = name != NULL ? pull_machine (invocation, host, name, &result, error)
                                           : pull_selections (invocation, &host->host, &result, error);
  if (selections == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();
      json_builder_begin_object (builder);
      lm_json_add_strv (builder, "selections", selections);
      lm_prepare_result_to_json (&result, builder);
      lm_cli_host_built_to_json (host, builder);
      lm_output_json (builder);
      return TRUE;
    }
  lm_cli_host_print_built (host);
  g_autofree char *text = lm_prepare_result_to_text (&result);
  puts (text);
  return TRUE;
}

const LmVerb lm_verb_pull = {
  .name = "pull",
  .page = "lamina-cache",
  .synopsis = "[SELECTION...]",
  .summary = "pull the selected layers, or those of a machine, into the cache",
  .max_words = G_MAXUINT,
  .options = options,
  .first = LM_COMPLETE_SELECTION,
  .others = LM_COMPLETE_SELECTION,
  .run = run_pull,
};
