/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/host.h"
#include "cli/output.h"
#include "machine/machine.h"
#include "ops/outdated.h"

#include <stdio.h>

static void
add_layer_json (JsonBuilder *builder, const LmOutdatedLayer *layer)
{
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", layer->name);
  lm_json_add_string (builder, "group", layer->group);
  lm_json_add_digest (builder, "digest", &layer->digest);
  lm_json_add_string (builder, "version", layer->version);
  lm_json_add_string (builder, "wanted", layer->wanted);
  lm_json_add_string (builder, "newest", layer->newest);
  lm_json_add_bool (builder, "outdated", layer->outdated);
  json_builder_end_object (builder);
}

static void
print_outdated_json (const GPtrArray *machines, guint unreadable)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "machines");
  json_builder_begin_array (builder);
  for (guint i = 0; i < machines->len; i++)
    {
      const LmOutdatedMachine *machine = g_ptr_array_index (machines, i);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "name", machine->name);
      lm_json_add_string (builder, "uuid", machine->uuid);
      lm_json_add_string (builder, "uri", machine->uri);
      lm_json_add_strv (builder, "selections", machine->selections);
      lm_json_add_bool (builder, "outdated", machine->outdated);
      json_builder_set_member_name (builder, "layers");
      json_builder_begin_array (builder);
      for (guint j = 0; j < machine->layers->len; j++)
        add_layer_json (builder, g_ptr_array_index (machine->layers, j));
      json_builder_end_array (builder);
      if (machine->planned)
        lm_json_add_uint (builder, "bytes_to_pull", machine->bytes_to_pull);
      else
        lm_json_add_string (builder, "problem", machine->problem);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_json_add_uint (builder, "unreadable", unreadable);
  lm_output_json (builder);
}

/* Adds a row for each layer that is outdated or unknown; the first one says what
 * the whole machine would pull. */
static void
add_rows (LmTable *table, const LmOutdatedMachine *machine)
{
  g_autofree char *pull = machine->planned ? lm_size_format (machine->bytes_to_pull) : g_strdup ("?");
  gboolean first = TRUE;
  for (guint i = 0; i < machine->layers->len; i++)
    {
      const LmOutdatedLayer *layer = g_ptr_array_index (machine->layers, i);
      if (!layer->outdated && layer->newest != NULL)
        continue;
      lm_table_add (table, (const char *const[]){ machine->name, layer->name, layer->version,
                                                  machine->planned ? layer->wanted : "?",
                                                  layer->newest != NULL ? layer->newest : "unknown",
                                                  first ? pull : "" });
      first = FALSE;
    }
}

static void
print_outdated (const GPtrArray *machines, guint unreadable)
{
  LmTable *table = NULL;
  for (guint i = 0; i < machines->len; i++)
    {
      const LmOutdatedMachine *machine = g_ptr_array_index (machines, i);
      if (!machine->outdated && !machine->unknown)
        continue;
      if (table == NULL)
        table = lm_table_new ((const char *const[]){ "MACHINE", "LAYER", "VERSION", "WANTED", "NEWEST", ">TO PULL", NULL });
      add_rows (table, machine);
    }
  if (table != NULL)
    lm_table_print (table);
  else
    printf ("none of %u %s is outdated%s\n", machines->len, machines->len == 1 ? "machine" : "machines",
            unreadable > 0 ? "; others could not be read" : "");
}

/* A program that looks only at the status must not take an incomplete answer for a good one. */
static gboolean
check_complete (guint unreadable, const char *const *names, GError **error)
{
  return unreadable == 0 || *names != NULL
         || lm_throw (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT,
                      "%u %s could not be read, so it is not known whether %s outdated", unreadable,
                      unreadable == 1 ? "record" : "records", unreadable == 1 ? "that machine is" : "those machines are");
}

static gboolean
run_outdated (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  const char *const *names = lm_args_words (invocation->args);
  guint unreadable = 0;
  g_autoptr (GPtrArray) machines
    = host ? lm_outdated_list (&host->host, names, &unreadable, invocation->cancellable, error) : NULL;
  if (machines == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    {
      print_outdated_json (machines, unreadable);
      return check_complete (unreadable, names, error);
    }
  print_outdated (machines, unreadable);
  for (guint i = 0; i < machines->len; i++)
    {
      const LmOutdatedMachine *machine = g_ptr_array_index (machines, i);
      if (!machine->planned)
        lm_output_warning ("%s cannot be created again now: %s", machine->name, machine->problem);
    }
  return check_complete (unreadable, names, error);
}

const LmVerb lm_verb_outdated = {
  .name = "outdated",
  .page = "lamina-launch",
  .synopsis = "[MACHINE...]",
  .summary = "list machines with layers of which there are newer versions",
  .max_words = G_MAXUINT,
  .first = LM_COMPLETE_MACHINE,
  .others = LM_COMPLETE_MACHINE,
  .run = run_outdated,
};
