/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/layer.h"

#include <string.h>

void
lm_group_free (LmGroup *group)
{
  if (group == NULL)
    return;
  g_free (group->name);
  g_free (group->title);
  g_free (group);
}

LmBuild *
lm_build_new (const LmBlob *blob)
{
  LmBuild *build = g_new0 (LmBuild, 1);
  lm_blob_copy (&build->blob, blob);
  return build;
}

LmBuild *
lm_build_dup (const LmBuild *build)
{
  LmBuild *copy = lm_build_new (&build->blob);
  copy->packages = g_strdupv (build->packages);
  copy->removed = g_strdupv (build->removed);
  copy->has_lock = build->has_lock;
  copy->lock = build->lock;
  return copy;
}

void
lm_build_clear_record (LmBuild *build)
{
  g_clear_pointer (&build->packages, g_strfreev);
  g_clear_pointer (&build->removed, g_strfreev);
  build->has_lock = FALSE;
}

void
lm_build_free (LmBuild *build)
{
  if (build == NULL)
    return;
  lm_build_clear_record (build);
  lm_blob_clear (&build->blob);
  g_free (build);
}

void
lm_layer_free (LmLayer *layer)
{
  if (layer == NULL)
    return;
  g_free (layer->name);
  g_free (layer->version);
  g_free (layer->group);
  g_free (layer->summary);
  g_free (layer->osinfo);
  g_free (layer->arch);
  g_free (layer->ready);
  g_free (layer->cmdline);
  g_free (layer->origin);
  lm_blob_free (layer->kernel);
  lm_blob_free (layer->initrd);
  g_strfreev (layer->provides);
  g_strfreev (layer->requires);
  g_strfreev (layer->conflicts);
  g_clear_pointer (&layer->builds, g_ptr_array_unref);
  g_free (layer);
}

gboolean
lm_groups_allow_multiple (const GPtrArray *groups, const char *name)
{
  for (guint i = 0; i < groups->len; i++)
    if (strcmp (((const LmGroup *) groups->pdata[i])->name, name) == 0)
      return ((const LmGroup *) groups->pdata[i])->multiple;
  return FALSE;
}

gboolean
lm_layer_runs_on (const LmLayer *layer, const char *arch)
{
  return layer->arch == NULL || strcmp (layer->arch, arch) == 0;
}
