/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/chain-packages.h"
#include "author/guest.h"
#include "author/local-entry.h"
#include "cache/work-dir.h"
#include "catalog/contents.h"

/* Reads the packages on the disk itself, of which the catalogs do not say them. */
static char **
read_contents (const LmHost *host, const LmBlob *top, const LmApplianceSettings *appliance, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmCache) cache = lm_cache_open (host->state_dir, &host->cache, error);
  g_autoptr (LmWorkDir) work = cache != NULL ? lm_work_dir_new (cache, error) : NULL;
  if (work == NULL)
    return NULL;
  g_autoptr (LmAppliance) job = lm_appliance_new ();
  g_autoptr (LmGuestPackages) guest = lm_guest_packages_new (lm_work_dir_get_path (work));
  g_autofree char *path = lm_cache_get_path (cache, LM_BLOB_LAYER, &top->digest);
  LmApplianceSettings settings = *appliance;
  settings.disk = path;
  settings.scratch = lm_work_dir_get_path (work);
  settings.read_only = TRUE;
  lm_guest_packages_add (guest, job);
  return lm_guest_run (host, job, &settings, cancellable, error) ? lm_guest_packages_read (guest, top->name, cancellable, error) : NULL;
}

/* Has the local catalog say what was found out about a base that this host imported, so that the
 * next build need not read it again. */
static gboolean
remember_contents (const LmHost *host, const LmCatalogSet *set, const LmBlob *top, char *const *contents, GCancellable *cancellable,
                   GError **error)
{
  g_autoptr (LmCatalog) local = NULL;
  LmLocalChange change;
  if (top->has_parent)
    return TRUE;
  if (!lm_local_load (host->state_dir, &local, error))
    return FALSE;
  const guint number = local != NULL ? lm_catalog_find_build (local, &top->digest) : LM_CATALOG_NONE;
  if (number == LM_CATALOG_NONE)
    return TRUE;
  g_autoptr (LmLayer) layer = lm_catalog_load_layer (local, lm_catalog_get_build (local, number).layer);
  for (guint i = 0; i < layer->builds->len; i++)
    {
      LmBuild *build = lm_layer_get_build (layer, i);
      if (!lm_digest_equal (&build->blob.digest, &top->digest))
        continue;
      g_strfreev (build->packages);
      g_strfreev (build->removed);
      build->packages = g_strdupv ((char **) contents);
      build->removed = g_new0 (char *, 1);
    }
  return lm_local_entry_add (host, set, layer, &change, cancellable, error);
}

char **
lm_chain_packages_find (const LmHost *host, const LmCatalogSet *set, const LmBlob *top, const LmApplianceSettings *appliance,
                        GCancellable *cancellable, GError **error)
{
  char **listed = lm_contents_of_build (set, &top->digest);
  if (listed != NULL)
    return listed;
  g_auto (GStrv) contents = read_contents (host, top, appliance, cancellable, error);
  return contents != NULL && remember_contents (host, set, top, contents, cancellable, error) ? g_steal_pointer (&contents) : NULL;
}
