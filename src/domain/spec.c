/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/spec.h"
#include "base/error.h"
#include "base/text.h"

#include <string.h>

/* With less memory no kernel starts, and no host has more: either indicates a mistake with the unit. */
#define MEMORY_MIN (G_GUINT64_CONSTANT (1) << 20)
#define MEMORY_MAX (G_GUINT64_CONSTANT (1) << 46)
#define VCPUS_MAX 4096
#define WORD_MAX 64

LmDomainLayer *
lm_domain_layer_new (void)
{
  return g_new0 (LmDomainLayer, 1);
}

void
lm_domain_layer_free (LmDomainLayer *layer)
{
  if (layer == NULL)
    return;
  lm_blob_clear (&layer->blob);
  g_free (layer->version);
  g_free (layer->group);
  g_free (layer->source);
  g_free (layer->path);
  g_free (layer);
}

LmDomainSpec *
lm_domain_spec_new (void)
{
  LmDomainSpec *spec = g_new0 (LmDomainSpec, 1);
  spec->layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_layer_free);
  spec->publish = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_publish_free);
  return spec;
}

void
lm_domain_spec_free (LmDomainSpec *spec)
{
  if (spec == NULL)
    return;
  g_free (spec->name);
  g_free (spec->uuid);
  g_free (spec->virt_type);
  g_free (spec->arch);
  g_free (spec->cpu);
  g_free (spec->overlay);
  g_clear_pointer (&spec->layers, g_ptr_array_unref);
  g_free (spec->seed);
  g_free (spec->kernel);
  g_free (spec->initrd);
  lm_blob_free (spec->kernel_blob);
  lm_blob_free (spec->initrd_blob);
  g_free (spec->cmdline);
  g_clear_pointer (&spec->networks, g_ptr_array_unref);
  g_clear_pointer (&spec->publish, g_ptr_array_unref);
  lm_domain_graphics_free (spec->graphics);
  g_free (spec->osinfo);
  g_free (spec->console_log);
  g_free (spec->nvram);
  g_free (spec->ready);
  g_strfreev (spec->selections);
  g_strfreev (spec->requested);
  g_free (spec);
}

gboolean
lm_domain_name_check (const char *name, GError **error)
{
  if (name != NULL && lm_text_is_word (name, "._+-", LM_DOMAIN_NAME_MAX))
    return TRUE;
  return lm_domain_throw_value (error, "machine name", name,
                                "must be 1 to 64 letters, digits, \".\", \"_\", \"+\" or \"-\", beginning with a "
                                "letter or digit");
}

gboolean
lm_domain_virt_type_check (const char *virt_type, GError **error)
{
  if (g_strcmp0 (virt_type, "kvm") == 0 || g_strcmp0 (virt_type, "qemu") == 0)
    return TRUE;
  return lm_domain_throw_value (error, "virt type", virt_type, "must be \"kvm\" or \"qemu\"");
}

const char *
lm_domain_cpu_mode (const char *cpu)
{
  static const struct
  {
    const char *cpu;
    const char *mode;
  } modes[] = { { "host-passthrough", "host-passthrough" }, { "host-model", "host-model" }, { "max", "maximum" },
                { "maximum", "maximum" } };
  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    if (strcmp (cpu, modes[i].cpu) == 0)
      return modes[i].mode;
  return NULL;
}

gboolean
lm_domain_cpu_check (const char *cpu, GError **error)
{
  if (cpu != NULL && lm_text_is_word (cpu, "._-", WORD_MAX))
    return TRUE;
  return lm_domain_throw_value (error, "cpu", cpu,
                                "must be \"host-passthrough\", \"host-model\", \"max\" or a model name");
}

static gboolean
check_path (const char *what, const char *path, gboolean required, GError **error)
{
  if (path == NULL && !required)
    return TRUE;
  if (path != NULL && g_path_is_absolute (path))
    return TRUE;
  return lm_domain_throw_value (error, what, path, "must be an absolute path");
}

static gboolean
check_properties (const LmDomainSpec *spec, GError **error)
{
  if (!lm_domain_name_check (spec->name, error) || !lm_domain_virt_type_check (spec->virt_type, error))
    return FALSE;
  if (spec->uuid == NULL || !g_uuid_string_is_valid (spec->uuid))
    return lm_domain_throw_value (error, "uuid", spec->uuid, "is not a uuid");
  if (spec->arch == NULL || !lm_text_is_word (spec->arch, "_", WORD_MAX))
    return lm_domain_throw_value (error, "architecture", spec->arch, "is not a name such as \"x86_64\"");
  if (spec->cpu != NULL && !lm_domain_cpu_check (spec->cpu, error))
    return FALSE;
  if (spec->memory < MEMORY_MIN || spec->memory > MEMORY_MAX)
    return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID,
                     "memory of %" G_GUINT64_FORMAT " bytes: must be from 1 MiB to 64 TiB", spec->memory);
  if (spec->vcpus < 1 || spec->vcpus > VCPUS_MAX)
    return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "%u virtual CPUs: must be from 1 to %d",
                     spec->vcpus, VCPUS_MAX);
  return TRUE;
}

static gboolean
check_files (const LmDomainSpec *spec, GError **error)
{
  if (!check_path ("overlay", spec->overlay, TRUE, error) || !check_path ("seed", spec->seed, FALSE, error)
      || !check_path ("kernel", spec->kernel, FALSE, error) || !check_path ("initrd", spec->initrd, FALSE, error)
      || !check_path ("console log", spec->console_log, FALSE, error)
      || !check_path ("nvram", spec->nvram, FALSE, error))
    return FALSE;
  if (spec->kernel == NULL && (spec->initrd != NULL || spec->cmdline != NULL))
    return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID,
                     "an initrd or a kernel command line is given, but no kernel");
  if (spec->layers->len == 0)
    return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "the disk has no layer");
  for (guint i = 0; i < spec->layers->len; i++)
    {
      const LmDomainLayer *layer = g_ptr_array_index (spec->layers, i);
      if (layer->blob.name == NULL || layer->version == NULL)
        return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "layer %u has no name or no version", i);
      if (!check_path (layer->blob.name, layer->path, TRUE, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_devices (const LmDomainSpec *spec, GError **error)
{
  gboolean user_mode = spec->networks == NULL;
  if (spec->networks != NULL && !lm_domain_network_check (spec->networks, error))
    return FALSE;
  for (guint i = 0; spec->networks != NULL && i < spec->networks->len; i++)
    user_mode |= ((LmDomainNetwork *) g_ptr_array_index (spec->networks, i))->kind == LM_DOMAIN_NETWORK_USER;
  if (spec->publish->len > 0 && !user_mode)
    return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID,
                     "publishing a port requires a user-mode network; add --network user");
  return lm_domain_publish_check (spec->publish, error)
         && (spec->graphics == NULL || lm_domain_graphics_check (spec->graphics, error));
}

gboolean
lm_domain_spec_check (const LmDomainSpec *spec, GError **error)
{
  return check_properties (spec, error) && check_files (spec, error) && check_devices (spec, error);
}
