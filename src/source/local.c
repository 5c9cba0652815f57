/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "source/local.h"
#include "base/error.h"
#include "base/fault.h"
#include "catalog/portable.h"
#include "source/record.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Nothing else could bring back what it lists, so it is never replaced because it cannot be read. */
static gboolean
load_known (const char *dir, const LmSource *source, LmCatalog **out_catalog, GError **error)
{
  g_autoptr (GError) failure = NULL;
  *out_catalog = NULL;
  if (source == NULL)
    return TRUE;
  if (!lm_source_is_local (source))
    return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_EXISTS,
                     "the name \"" LM_LOCAL_NAME "\" is that of the layers made on this host, but a catalog source that was "
                     "added has it; run \"lamina catalog remove " LM_LOCAL_NAME "\" and add that one under another name");
  *out_catalog = lm_source_record_catalog (dir, source, LM_LOCAL_NAME, NULL, &failure);
  if (*out_catalog != NULL)
    return TRUE;
  if (failure->domain == G_IO_ERROR && failure->code != G_IO_ERROR_NOT_FOUND)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), "catalog source " LM_LOCAL_NAME ": ");
      return FALSE;
    }
  return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_CORRUPT,
                   "%s/" LM_LOCAL_NAME ".catalog, which lists the layers made on this host, is missing or damaged: %s; repair it, or "
                   "move it away together with " LM_LOCAL_NAME ".json to begin a new one", dir, failure->message);
}

gboolean
lm_local_load (const char *state_dir, LmCatalog **out_catalog, GError **error)
{
  g_autofree char *dir = lm_source_record_dir (state_dir);
  g_autoptr (LmSource) source = NULL;
  if (!lm_source_record_find (dir, LM_LOCAL_NAME, &source, error))
    return FALSE;
  /* Of a source that a user added under this name nothing is made here. */
  if (source != NULL && !lm_source_is_local (source))
    g_clear_pointer (&source, lm_source_free);
  return load_known (dir, source, out_catalog, error);
}

static gboolean
find_in_cache (gpointer user_data, LmBlobKind kind, const LmDigest *digest)
{
  g_autofree char *name = lm_portable_file_name (kind, digest);
  g_autofree char *path = g_build_filename (user_data, name, NULL);
  struct stat st;
  /* What cannot be examined may be there: nothing else could bring it back. */
  return lstat (path, &st) == 0 ? S_ISREG (st.st_mode) : errno != ENOENT && errno != ENOTDIR;
}

LmCatalog *
lm_local_keep_available (const char *state_dir, LmCatalog *catalog, GError **error)
{
  return lm_portable_keep_available (catalog, find_in_cache, (gpointer) state_dir, error);
}

/* Returns a catalog of @layer alone, which thereby is checked. */
static LmCatalog *
make_entry (const LmLayer *layer, const LmGroup *group, GError **error)
{
  g_autoptr (GPtrArray) layers = g_ptr_array_new ();
  g_autoptr (GPtrArray) groups = g_ptr_array_new ();
  g_ptr_array_add (layers, (gpointer) layer);
  g_ptr_array_add (groups, (gpointer) group);
  g_autofree char *text = lm_portable_to_json (LM_LOCAL_NAME, groups, layers);
  return lm_catalog_parse_own (LM_LOCAL_NAME, text, error);
}

gboolean
lm_local_check (const LmLayer *layer, const LmGroup *group, GError **error)
{
  g_autoptr (LmCatalog) entry = make_entry (layer, group, error);
  return entry != NULL;
}

/* Whether @known has @build, or a build on the same parent whose file is gone, or none. */
static gboolean
check_build (const char *state_dir, const LmLayer *known, const LmBlob *build, GError **error)
{
  for (guint i = 0; i < known->builds->len; i++)
    {
      const LmBlob *other = &lm_layer_get_build (known, i)->blob;
      if (lm_blob_has_same_parent (other, build) && !lm_digest_equal (&other->digest, &build->digest)
          && find_in_cache ((gpointer) state_dir, LM_BLOB_LAYER, &other->digest))
        return lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_EXISTS,
                         "%s@%s is there already, but different; choose another version", known->name, known->version);
    }
  return TRUE;
}

/* Whether no other layer of @known has the file of @build. It would lose it, because a catalog cannot list a file twice. */
static gboolean
check_unlisted (const LmCatalog *known, const LmLayer *layer, const LmBlob *build, GError **error)
{
  const guint number = lm_catalog_find_build (known, &build->digest);
  if (number == LM_CATALOG_NONE)
    return TRUE;
  const guint other = lm_catalog_get_build (known, number).layer;
  const char *name = lm_catalog_get_layer_name (known, other), *version = lm_catalog_get_layer_version (known, other);
  return (strcmp (name, layer->name) == 0 && strcmp (version, layer->version) == 0)
         || lm_throw (error, LM_SOURCE_ERROR, LM_SOURCE_ERROR_EXISTS,
                      "the layer of %s@%s is there already, as %s@%s; a catalog cannot list a file twice", layer->name, layer->version,
                      name, version);
}

static gboolean
check_not_different (const char *state_dir, const LmCatalog *known, const LmCatalog *entry, GError **error)
{
  g_autoptr (LmLayer) layer = lm_catalog_load_layer (entry, 0);
  for (guint i = 0; known != NULL && i < layer->builds->len; i++)
    if (!check_unlisted (known, layer, &lm_layer_get_build (layer, i)->blob, error))
      return FALSE;
  for (guint i = 0; known != NULL && i < lm_catalog_get_n_layers (known); i++)
    {
      g_autoptr (LmLayer) other = lm_catalog_load_layer (known, i);
      if (strcmp (other->name, layer->name) != 0 || strcmp (other->version, layer->version) != 0
          || g_strcmp0 (other->arch, layer->arch) != 0)
        continue;
      for (guint j = 0; j < layer->builds->len; j++)
        if (!check_build (state_dir, other, &lm_layer_get_build (layer, j)->blob, error))
          return FALSE;
    }
  return TRUE;
}

/* To be called under the lock of the source. */
static gboolean
add_entry (const char *state_dir, const char *dir, const LmCatalog *entry, gboolean replace, LmLocalChange *out_change, GError **error)
{
  g_autoptr (LmSource) source = NULL;
  g_autoptr (LmCatalog) known = NULL;
  if (!lm_source_record_find (dir, LM_LOCAL_NAME, &source, error) || !load_known (dir, source, &known, error)
      || (!replace && !check_not_different (state_dir, known, entry, error)))
    return FALSE;
  char *text = lm_portable_merge (LM_LOCAL_NAME, known, entry, TRUE);
  g_autoptr (GBytes) body = g_bytes_new_take (text, strlen (text));
  *out_change = LM_LOCAL_UNCHANGED;
  if (source != NULL && lm_source_record_has (dir, source, body))
    return TRUE;
  *out_change = LM_LOCAL_CHANGED;
  g_autoptr (LmSource) fresh = lm_source_new (LM_LOCAL_NAME, LM_CATALOG_NOWHERE);
  fresh->base_url = g_strdup (LM_CATALOG_NOWHERE);
  fresh->priority = LM_SOURCE_PRIORITY_DEFAULT;
  fresh->fetched = g_get_real_time () / G_USEC_PER_SEC;
  fresh->imported = TRUE;
  return lm_fault_point ("local-before-save", error) && lm_source_record_save (dir, fresh, body, NULL, error)
         && lm_fault_point ("local-after-save", error);
}

gboolean
lm_local_add (const char *state_dir, const LmLayer *layer, const LmGroup *group, gboolean replace, LmLocalChange *out_change,
              const LmSourceStatus *status, GCancellable *cancellable, GError **error)
{
  g_autofree char *dir = lm_source_record_dir (state_dir);
  g_autoptr (LmCatalog) entry = make_entry (layer, group, error);
  g_autoptr (LmLock) lock
    = entry != NULL ? lm_source_record_wait (state_dir, dir, LM_LOCAL_NAME, status, cancellable, error) : NULL;
  if (lock == NULL)
    return FALSE;
  if (add_entry (state_dir, dir, entry, replace, out_change, error))
    return TRUE;
  if (!lm_source_record_exists (dir, LM_LOCAL_NAME))
    lm_lock_remove_file (lock);
  return FALSE;
}
