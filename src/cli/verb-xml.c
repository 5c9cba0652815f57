/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json.h"
#include "cli/host.h"
#include "cli/output.h"
#include "cli/request.h"
#include "ops/blueprint.h"
#include "ops/prepare.h"

#include <stdio.h>

static const LmOption options[] = { LM_DOMAIN_OPTIONS, { NULL } };

static void
print_xml_json (const LmMachine *machine, const char *xml)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", machine->name);
  lm_json_add_string (builder, "uuid", machine->uuid);
  lm_json_add_strv (builder, "selections", machine->resolved);
  lm_json_add_string (builder, "xml", xml);
  lm_output_json (builder);
}

/* libvirt is asked only for what the request leaves to it. */
static gboolean
run_xml (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmLaunchRequest) request = lm_request_read (invocation, options, error);
  g_autoptr (LmCliHost) host = request != NULL ? lm_cli_host_new (invocation, error) : NULL;
  g_autoptr (LmVirt) virt = host != NULL && request->virt_type == NULL ? lm_cli_connect (host, error) : NULL;
  if (host == NULL || (virt == NULL && request->virt_type == NULL))
    return FALSE;
  g_auto (GStrv) requested = lm_launch_request_normalize (request);
  g_autoptr (LmPlan) plan
    = lm_prepare_plan (&host->host, (const char *const *) request->selections, invocation->cancellable, error);
  if (plan == NULL)
    return FALSE;
  g_autoptr (LmMachine) machine = lm_blueprint_machine (&host->host, NULL, request, requested, plan);
  g_autofree char *xml
    = lm_blueprint_xml (&host->host, virt, request, plan, machine, invocation->cancellable, error);
  if (xml == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    print_xml_json (machine, xml);
  else
    fputs (xml, stdout);
  return TRUE;
}

const LmVerb lm_verb_xml = {
  .name = "xml",
  .page = "lamina-launch",
  .synopsis = "NAME SELECTION...",
  .summary = "print the XML of a machine's domain, for virsh define",
  .max_words = G_MAXUINT,
  .options = options,
  .others = LM_COMPLETE_SELECTION,
  .run = run_xml,
};
