/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/describe.h"
#include "cli/output.h"
#include "cli/host.h"
#include "cli/request.h"

#include <stdio.h>

static const LmOption launch_options[] = {
  LM_MACHINE_OPTIONS,
  { "transient", 0, LM_OPTION_FLAG | LM_OPTION_SPEC, NULL, "the domain disappears when it stops", LM_COMPLETE_NONE },
  { "wait", 0, LM_OPTION_VALUE | LM_OPTION_OPTIONAL | LM_OPTION_SPEC, "SECONDS",
   "wait until the guest is up (default: 300)", LM_COMPLETE_NONE },
  { NULL },
};

static const LmOption define_options[] = { LM_MACHINE_OPTIONS, { NULL } };

/* Prints what "show" prints, and what this run did. */
static gboolean
print_launched_json (const LmCliHost *host, LmVirt *virt, const LmLaunchResult *result, GError **error)
{
  g_autoptr (LmInventoryEntry) entry = lm_inventory_find (&host->host, virt, lm_virt_domain_name (result->domain), error);
  if (entry == NULL)
    return FALSE;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_describe_to_json (entry, builder);
  lm_json_add_bool (builder, "existed", result->existed);
  lm_json_add_bool (builder, "started", result->started);
  lm_json_add_bool (builder, "ready", result->ready);
  lm_prepare_result_to_json (&result->prepared, builder);
  lm_cli_host_built_to_json (host, builder);
  lm_output_json (builder);
  return TRUE;
}

/* Prints how to reach a guest that is up. */
static void
print_access (const LmLaunchResult *result)
{
  const LmMachine *machine = result->machine;
  for (guint i = 0; i < machine->publish->len; i++)
    {
      const LmDomainPublish *publish = g_ptr_array_index (machine->publish, i);
      printf ("  port %u of the guest: %s:%u\n", publish->guest_port, lm_domain_publish_address (publish),
              publish->port);
    }
  for (char **address = result->addresses; address && *address; address++)
    printf ("  address: %s\n", *address);
  g_autofree char *console = lm_describe_console (machine, lm_virt_domain_name (result->domain));
  printf ("  console: %s\n", console);
}

static void
print_launched (const LmLaunchResult *result, gboolean define_only)
{
  const LmMachine *machine = result->machine;
  g_autofree char *layers = lm_describe_layers (machine);
  const char *did = result->existed ? (result->started ? "existed, started" : "exists already, nothing to do")
                    : define_only   ? "defined"
                                    : "started";
  const char *name = lm_virt_domain_name (result->domain);
  printf ("%s: %s (%s)\n", name, did, layers);
  if (!result->existed)
    {
      g_autofree char *pulled = lm_prepare_result_to_text (&result->prepared);
      printf ("  %s\n", pulled);
    }
  if (result->ready)
    {
      printf ("%s: ready after %.1f s\n", name, result->ready_seconds);
      print_access (result);
    }
}

static gboolean
launch_and_print (const LmInvocation *invocation, LmLaunchRequest *request, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmVirt) virt = host ? lm_cli_connect (host, error) : NULL;
  g_autoptr (LmLaunchResult) result = virt ? lm_launch (&host->host, virt, request, invocation->cancellable, error) : NULL;
  if (result == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    return print_launched_json (host, virt, result, error);
  lm_cli_host_print_built (host);
  print_launched (result, !request->start);
  return TRUE;
}

static gboolean
run_launch (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmLaunchRequest) request = lm_request_read (invocation, launch_options, error);
  if (request == NULL)
    return FALSE;
  request->start = TRUE;
  return launch_and_print (invocation, request, error);
}

static gboolean
run_define (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmLaunchRequest) request = lm_request_read (invocation, define_options, error);
  return request && launch_and_print (invocation, request, error);
}

const LmVerb lm_verb_launch = {
  .name = "launch",
  .page = "lamina-launch",
  .synopsis = "NAME SELECTION...",
  .summary = "create a machine from layers and start it",
  .max_words = G_MAXUINT,
  .options = launch_options,
  .others = LM_COMPLETE_SELECTION,
  .run = run_launch,
};

const LmVerb lm_verb_define = {
  .name = "define",
  .page = "lamina-launch",
  .synopsis = "NAME SELECTION...",
  .summary = "create a machine from layers without starting it",
  .max_words = G_MAXUINT,
  .options = define_options,
  .others = LM_COMPLETE_SELECTION,
  .run = run_define,
};
