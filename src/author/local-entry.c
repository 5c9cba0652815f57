/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/local-entry.h"

#include <string.h>

static LmGroup *
find_group (const LmCatalogSet *set, const char *name)
{
  g_autoptr (GPtrArray) groups = lm_catalog_set_load_groups (set);
  for (guint i = 0; i < groups->len; i++)
    if (strcmp (((LmGroup *) g_ptr_array_index (groups, i))->name, name) == 0)
      return g_ptr_array_steal_index (groups, i);
  LmGroup *group = g_new0 (LmGroup, 1);
  group->name = g_strdup (name);
  return group;
}

gboolean
lm_local_entry_add (const LmHost *host, const LmCatalogSet *set, const LmLayer *layer, LmLocalChange *out_change,
                    GCancellable *cancellable, GError **error)
{
  const LmSourceStatus status = { host->status, host->user_data };
  g_autoptr (LmGroup) group = find_group (set, layer->group);
  return lm_local_add (host->state_dir, layer, group, FALSE, out_change, &status, cancellable, error);
}
