/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/describe.h"
#include "cli/host.h"
#include "cli/output.h"

#include <stdio.h>

static void
print_machine_line (const char *title, const char *value)
{
  if (value == NULL || *value == '\0')
    return;
  g_autofree char *safe = lm_output_safe (value);
  printf ("%-12s %s\n", title, safe);
}

static void
print_machine (const LmInventoryEntry *entry)
{
  const LmMachine *machine = entry->machine;
  g_autofree char *console = entry->domain_name ? lm_describe_console (machine, entry->domain_name) : NULL;
  g_autofree char *publish = lm_describe_publishes (machine);
  g_autofree char *addresses = entry->addresses ? g_strjoinv (", ", entry->addresses) : NULL;
  g_autofree char *disk = lm_size_format (machine->disk);
  g_autofree char *used = lm_size_format (entry->overlay_bytes);
  g_autofree char *overlay = entry->overlay_missing ? g_strdup_printf ("%s (missing)", machine->overlay)
                                                    : g_strdup_printf ("%s (%s of %s)", machine->overlay, used, disk);
  g_autofree char *selections = machine->resolved ? g_strjoinv (" ", machine->resolved) : NULL;
  print_machine_line ("name", lm_inventory_name (entry));
  print_machine_line ("uuid", machine->uuid);
  print_machine_line ("state", entry->state);
  print_machine_line ("selections", selections);
  print_machine_line ("published", publish);
  print_machine_line ("address", addresses);
  print_machine_line ("console", console);
  print_machine_line ("console log", machine->console_log);
  print_machine_line ("overlay", overlay);
  print_machine_line ("ephemeral", machine->ephemeral ? "yes" : NULL);
  puts ("chain, top first:");
  for (guint i = machine->layers->len; i > 0; i--)
    {
      const LmDomainLayer *layer = g_ptr_array_index (machine->layers, i - 1);
      g_autofree char *size = lm_size_format (layer->blob.size);
      g_autofree char *line = g_strdup_printf ("%s %s, %s, %s", layer->blob.name, layer->version, size, layer->path);
      g_autofree char *safe = lm_output_safe (line);
      printf ("  %s\n", safe);
    }
}

static gboolean
run_show (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmVirt) virt = host ? lm_cli_connect (host, error) : NULL;
  g_autoptr (LmInventoryEntry) entry
    = virt ? lm_inventory_find (&host->host, virt, lm_args_words (invocation->args)[0], error) : NULL;
  if (entry == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();
      json_builder_begin_object (builder);
      lm_describe_to_json (entry, builder);
      lm_output_json (builder);
      return TRUE;
    }
  print_machine (entry);
  return TRUE;
}

const LmVerb lm_verb_show = {
  .name = "show",
  .page = "lamina-launch",
  .synopsis = "NAME",
  .summary = "show a machine: chain, sizes, addresses, console",
  .min_words = 1,
  .max_words = 1,
  .first = LM_COMPLETE_MACHINE,
  .run = run_show,
};
