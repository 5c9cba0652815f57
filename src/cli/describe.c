/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/describe.h"
#include "base/json.h"
#include "domain/device.h"

char *
lm_describe_layers (const LmMachine *machine)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < machine->layers->len; i++)
    {
      const LmDomainLayer *layer = g_ptr_array_index (machine->layers, i);
      g_string_append_printf (text, "%s%s %s", i ? " + " : "", layer->blob.name, layer->version);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* "127.0.0.1:8080->80" */
static char *
describe_publish (const LmDomainPublish *publish)
{
  return g_strdup_printf ("%s:%u->%u", lm_domain_publish_address (publish), publish->port, publish->guest_port);
}

char *
lm_describe_publishes (const LmMachine *machine)
{
  if (machine->publish->len == 0)
    return NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < machine->publish->len; i++)
    {
      g_autofree char *one = describe_publish (g_ptr_array_index (machine->publish, i));
      g_string_append_printf (text, "%s%s", i ? ", " : "", one);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
lm_describe_console (const LmMachine *machine, const char *domain_name)
{
  g_autofree char *uri = g_shell_quote (machine->uri ? machine->uri : "");
  return g_strdup_printf ("virsh -c %s console %s", machine->uri ? uri : "''", domain_name);
}

static void
add_layers_json (const LmMachine *machine, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "layers");
  json_builder_begin_array (builder);
  for (guint i = 0; i < machine->layers->len; i++)
    {
      const LmDomainLayer *layer = g_ptr_array_index (machine->layers, i);
      g_autofree char *digest = lm_digest_to_string (&layer->blob.digest);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "name", layer->blob.name);
      lm_json_add_string (builder, "version", layer->version);
      lm_json_add_string (builder, "group", layer->group);
      lm_json_add_string (builder, "digest", digest);
      lm_json_add_uint (builder, "size", layer->blob.size);
      lm_json_add_string (builder, "path", layer->path);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_publishes_json (const LmMachine *machine, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "publish");
  json_builder_begin_array (builder);
  for (guint i = 0; i < machine->publish->len; i++)
    {
      const LmDomainPublish *publish = g_ptr_array_index (machine->publish, i);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "address", lm_domain_publish_address (publish));
      lm_json_add_uint (builder, "port", publish->port);
      lm_json_add_uint (builder, "guest_port", publish->guest_port);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

void
lm_describe_to_json (const LmInventoryEntry *entry, JsonBuilder *builder)
{
  const LmMachine *machine = entry->machine;
  lm_json_add_string (builder, "name", lm_inventory_name (entry));
  lm_json_add_string (builder, "uuid", machine->uuid);
  lm_json_add_string (builder, "uri", machine->uri);
  lm_json_add_string (builder, "state", entry->state);
  lm_json_add_strv (builder, "selections", machine->resolved);
  add_layers_json (machine, builder);
  lm_json_add_string (builder, "overlay", machine->overlay);
  lm_json_add_uint (builder, "disk", machine->disk);
  lm_json_add_bool (builder, "ephemeral", machine->ephemeral);
  lm_json_add_uint (builder, "overlay_bytes", entry->overlay_bytes);
  lm_json_add_strv (builder, "addresses", entry->addresses);
  add_publishes_json (machine, builder);
  lm_json_add_string (builder, "console_log", machine->console_log);
  lm_json_add_uint (builder, "created", machine->created);
}
