/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/describe.h"
#include "cli/host.h"
#include "cli/output.h"

#include <stdio.h>

static void
print_machines_json (GPtrArray *entries)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "machines");
  json_builder_begin_array (builder);
  for (guint i = 0; i < entries->len; i++)
    {
      json_builder_begin_object (builder);
      lm_describe_to_json (g_ptr_array_index (entries, i), builder);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_output_json (builder);
}

static gboolean
run_ps (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmVirt) virt = host ? lm_cli_connect (host, error) : NULL;
  g_autoptr (GPtrArray) entries = virt ? lm_inventory_list (&host->host, virt, error) : NULL;
  if (entries == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    {
      print_machines_json (entries);
      return TRUE;
    }
  LmTable *table = lm_table_new ((const char *const[]){ "NAME", "STATE", "LAYERS", ">OVERLAY", "PUBLISHED", NULL });
  for (guint i = 0; i < entries->len; i++)
    {
      const LmInventoryEntry *entry = g_ptr_array_index (entries, i);
      g_autofree char *layers = lm_describe_layers (entry->machine);
      g_autofree char *size = entry->overlay_missing ? g_strdup ("missing") : lm_size_format (entry->overlay_bytes);
      g_autofree char *publish = lm_describe_publishes (entry->machine);
      lm_table_add (table, (const char *const[]){ lm_inventory_name (entry), entry->state, layers, size, publish });
    }
  lm_table_print (table);
  return TRUE;
}

const LmVerb lm_verb_ps = {
  .name = "ps",
  .page = "lamina-launch",
  .summary = "list the machines that lamina made",
  .run = run_ps,
};
