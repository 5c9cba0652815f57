/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/disk-usage.h"

#include <stdio.h>

static void
print_usage (const LmDiskUsage *usage)
{
  LmTable *table = lm_table_new ((const char *const[]){ "MACHINE", "STATE", ">OWN", ">LAYERS", ">SHARED", NULL });
  for (guint i = 0; i < usage->machines->len; i++)
    {
      const LmMachineUsage *machine = g_ptr_array_index (usage->machines, i);
      g_autofree char *own = lm_size_format (machine->own);
      g_autofree char *layers = lm_size_format (machine->layers);
      g_autofree char *shared = lm_size_format (machine->shared);
      lm_table_add (table, (const char *const[]){ machine->name, machine->state, own, layers, shared });
    }
  lm_table_print (table);
  g_autofree char *own = lm_size_format (usage->own);
  g_autofree char *used = lm_size_format (usage->used);
  g_autofree char *unused = lm_size_format (usage->unused);
  g_autofree char *partial = lm_size_format (usage->partial);
  g_autofree char *damaged = lm_size_format (usage->damaged);
  g_autofree char *total = lm_size_format (usage->own + usage->used + usage->unused + usage->partial + usage->damaged);
  printf ("machines %s, cached files in use %s, not in use %s, incomplete %s, damaged %s; together %s\n", own, used, unused,
          partial, damaged, total);
}

static void
print_usage_json (const LmDiskUsage *usage)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "machines");
  json_builder_begin_array (builder);
  for (guint i = 0; i < usage->machines->len; i++)
    {
      const LmMachineUsage *machine = g_ptr_array_index (usage->machines, i);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "name", machine->name);
      lm_json_add_string (builder, "uuid", machine->uuid);
      lm_json_add_string (builder, "state", machine->state);
      lm_json_add_uint (builder, "own", machine->own);
      lm_json_add_uint (builder, "layers", machine->layers);
      lm_json_add_uint (builder, "shared", machine->shared);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_json_add_uint (builder, "own", usage->own);
  lm_json_add_uint (builder, "used", usage->used);
  lm_json_add_uint (builder, "unused", usage->unused);
  lm_json_add_uint (builder, "partial", usage->partial);
  lm_json_add_uint (builder, "damaged", usage->damaged);
  lm_output_json (builder);
}

static gboolean
run_cache_du (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmCache) cache = host ? lm_cache_open_readonly (host->host.state_dir, &host->host.cache, error) : NULL;
  g_autoptr (LmDiskUsage) usage = cache ? lm_disk_usage_new (&host->host, cache, invocation->cancellable, error) : NULL;
  if (usage == NULL)
    return FALSE;
  lm_cli_warnings (usage->unknown);
  if (lm_args_has (invocation->args, "json"))
    print_usage_json (usage);
  else
    print_usage (usage);
  return TRUE;
}

const LmVerb lm_verb_cache_du = {
  .name = "cache du",
  .page = "lamina-cache",
  .summary = "show how much disk space machines and layers occupy",
  .run = run_cache_du,
};
