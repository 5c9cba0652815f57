/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/launch-request.h"
#include "base/size.h"
#include "base/text.h"
#include "catalog/selection.h"

#include <string.h>

#define DEFAULT_MEMORY (512 * LM_SIZE_MIB)

LmLaunchRequest *
lm_launch_request_new (void)
{
  LmLaunchRequest *request = g_new0 (LmLaunchRequest, 1);
  request->publish = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_publish_free);
  return request;
}

void
lm_launch_request_free (LmLaunchRequest *request)
{
  if (request == NULL)
    return;
  g_free (request->name);
  g_strfreev (request->selections);
  g_free (request->cpu);
  g_free (request->virt_type);
  g_clear_pointer (&request->networks, g_ptr_array_unref);
  g_ptr_array_unref (request->publish);
  lm_domain_graphics_free (request->graphics);
  g_free (request->osinfo);
  g_free (request->template);
  g_clear_pointer (&request->user_data, g_bytes_unref);
  g_clear_pointer (&request->meta_data, g_bytes_unref);
  g_clear_pointer (&request->network_config, g_bytes_unref);
  g_strfreev (request->ssh_keys);
  g_free (request);
}

char **
lm_launch_request_normalize (const LmLaunchRequest *request)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  for (char **text = request->selections; text && *text; text++)
    {
      g_autoptr (LmSelection) selection = lm_selection_parse (*text, NULL);
      g_ptr_array_add (texts, selection ? lm_selection_format (selection) : g_strdup (*text));
    }
  g_ptr_array_sort (texts, lm_text_compare);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; i < texts->len; i++)
    if (i == 0 || strcmp (texts->pdata[i - 1], texts->pdata[i]) != 0)
      g_strv_builder_add (builder, texts->pdata[i]);
  return g_strv_builder_end (builder);
}

GPtrArray *
lm_launch_request_layers (const LmPlan *plan)
{
  GPtrArray *layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_layer_free);
  for (guint i = 0; i < plan->layers->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (plan->layers, i);
      LmDomainLayer *layer = lm_domain_layer_new ();
      lm_blob_copy (&layer->blob, &item->blob);
      layer->version = g_strdup (item->version);
      layer->group = g_strdup (item->group);
      layer->source = g_strdup (item->source);
      layer->path = g_strdup (item->path);
      g_ptr_array_add (layers, layer);
    }
  return layers;
}

static void
set_boot_files (LmDomainSpec *spec, const LmPlan *plan, const LmMachine *machine)
{
  for (guint i = 0; i < plan->blobs->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (plan->blobs, i);
      if (strcmp (item->blob.name, "kernel") == 0)
        {
          spec->kernel = g_strdup (machine->kernel);
          spec->kernel_blob = lm_blob_dup (&item->blob);
        }
      else
        {
          spec->initrd = g_strdup (machine->initrd);
          spec->initrd_blob = lm_blob_dup (&item->blob);
        }
    }
}

LmDomainSpec *
lm_launch_request_spec (const LmLaunchRequest *request, const LmPlan *plan, const LmMachine *machine,
                        const char *virt_type, const char *osinfo)
{
  LmDomainSpec *spec = lm_domain_spec_new ();
  spec->name = g_strdup (machine->name);
  spec->uuid = g_strdup (machine->uuid);
  spec->virt_type = g_strdup (virt_type);
  spec->arch = g_strdup (plan->arch);
  spec->cpu = g_strdup (request->cpu);
  spec->memory = request->memory ? request->memory : plan->memory ? plan->memory : DEFAULT_MEMORY;
  spec->vcpus = request->vcpus ? request->vcpus : 1;
  spec->overlay = g_strdup (machine->overlay);
  g_ptr_array_unref (spec->layers);
  spec->layers = lm_launch_request_layers (plan);
  spec->seed = request->cloud_init ? g_strdup (machine->seed) : NULL;
  set_boot_files (spec, plan, machine);
  spec->cmdline = spec->kernel ? g_strdup (plan->cmdline) : NULL;
  spec->networks = request->networks ? g_ptr_array_copy (request->networks, lm_domain_network_copy, NULL) : NULL;
  g_ptr_array_extend (spec->publish, request->publish, lm_domain_publish_copy, NULL);
  spec->graphics = request->graphics ? lm_domain_graphics_copy (request->graphics, NULL) : NULL;
  spec->osinfo = g_strdup (osinfo);
  spec->console_log = g_strdup (machine->console_log);
  spec->nvram = g_strdup (machine->nvram);
  spec->ready = g_strdup (plan->ready);
  spec->selections = g_strdupv (plan->selections);
  spec->requested = g_strdupv (machine->requested);
  spec->disk = request->disk ? request->disk : plan->disk;
  spec->ephemeral = request->ephemeral;
  return spec;
}
