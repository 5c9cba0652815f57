/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/local-entry.h"
#include "base/error.h"
#include "catalog/selection.h"

#include <string.h>

G_DEFINE_QUARK (lm-local-entry-error-quark, lm_local_entry_error)

gboolean
lm_local_entry_check (const LmCatalogSet *set, const char *name, GError **error)
{
  const LmCatalog *hiding = lm_catalog_set_find_hiding (set, name, LM_SOURCE_PRIORITY_DEFAULT);
  return hiding == NULL
         || lm_throw (error, LM_LOCAL_ENTRY_ERROR, LM_LOCAL_ENTRY_ERROR_HIDDEN,
                      "a layer %s of this host could not be used, because the catalog %s, which has one of that name, has a higher "
                      "priority than the local one; give it a lower one, or choose another name", name, lm_catalog_get_source (hiding));
}

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
lm_local_entry_check_place (const LmCatalogSet *set, const char *name, const char *group, const char *below, const char *below_group,
                            GError **error)
{
  g_autoptr (GPtrArray) groups = lm_catalog_set_load_groups (set);
  if (strcmp (below, name) == 0)
    return lm_throw (error, LM_LOCAL_ENTRY_ERROR, LM_LOCAL_ENTRY_ERROR_PLACE, "a layer %s would stand on one of the same name; choose another name",
                     name);
  return strcmp (below_group, group) != 0 || lm_groups_allow_multiple (groups, group)
         || lm_throw (error, LM_LOCAL_ENTRY_ERROR, LM_LOCAL_ENTRY_ERROR_PLACE,
                      "the group %s allows one layer in a machine, and %s, on which %s would stand, is of it too; choose another group", group,
                      below, name);
}

gboolean
lm_local_entry_add (const LmHost *host, const LmCatalogSet *set, const LmLayer *layer, LmLocalChange *out_change,
                    GCancellable *cancellable, GError **error)
{
  const LmSourceStatus status = { host->status, host->user_data };
  g_autoptr (LmGroup) group = find_group (set, layer->group);
  return lm_local_add (host->state_dir, layer, group, FALSE, out_change, &status, cancellable, error);
}

gboolean
lm_local_entry_parse_name (const char *text, char **out_name, char **out_version, GError **error)
{
  g_autoptr (LmSelection) as = lm_selection_parse (text, error);
  if (as == NULL)
    {
      g_prefix_error (error, "--as: ");
      return FALSE;
    }
  if (as->version == NULL || as->group != NULL)
    return lm_throw (error, LM_SELECTION_ERROR, LM_SELECTION_ERROR_INVALID,
                     "--as: write NAME@VERSION, for example --as debian@12; --group gives the group");
  *out_name = g_steal_pointer (&as->name);
  *out_version = g_steal_pointer (&as->version);
  return TRUE;
}
