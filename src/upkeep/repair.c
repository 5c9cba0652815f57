/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "upkeep/repair.h"
#include "base/error.h"
#include "base/fault.h"
#include "cache/quarantine.h"
#include "machine/machine.h"
#include "ops/only-copy.h"
#include "ops/room.h"
#include "source/source.h"

#include <string.h>

G_DEFINE_QUARK (lm-repair-error-quark, lm_repair_error)

/* No chain is longer; a wrong catalog may contain a loop. */
#define DEPTH_MAX 64

struct _LmRepair
{
  const LmHost *host;
  LmCatalogSet *set;    /* NULL if the catalogs cannot be read */
  GPtrArray *machines;  /* LmMachine; NULL if the records cannot be read */
  GHashTable *recorded[LM_BLOB_N_KINDS]; /* LmDigest -> LmBlob of the first record that has it */
};

void
lm_repair_free (LmRepair *repair)
{
  if (repair == NULL)
    return;
  lm_catalog_set_free (repair->set);
  for (gsize i = 0; i < LM_BLOB_N_KINDS; i++)
    g_hash_table_unref (repair->recorded[i]);
  g_clear_pointer (&repair->machines, g_ptr_array_unref);
  g_free (repair);
}

static void
add_recorded (LmRepair *repair, const LmBlob *blob)
{
  if (blob != NULL && !g_hash_table_contains (repair->recorded[blob->kind], &blob->digest))
    g_hash_table_insert (repair->recorded[blob->kind], (gpointer) &blob->digest, (gpointer) blob);
}

static void
index_records (LmRepair *repair)
{
  for (guint i = 0; repair->machines != NULL && i < repair->machines->len; i++)
    {
      const LmMachine *machine = g_ptr_array_index (repair->machines, i);
      for (guint j = 0; j < machine->layers->len; j++)
        add_recorded (repair, &((const LmDomainLayer *) g_ptr_array_index (machine->layers, j))->blob);
      add_recorded (repair, machine->kernel_blob);
      add_recorded (repair, machine->initrd_blob);
    }
}

LmRepair *
lm_repair_new (const LmHost *host, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmRepair) repair = g_new0 (LmRepair, 1);
  g_autoptr (GPtrArray) unused = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) no_set = NULL, no_machines = NULL;
  repair->host = host;
  for (gsize i = 0; i < LM_BLOB_N_KINDS; i++)
    repair->recorded[i] = g_hash_table_new (lm_digest_hash, lm_digest_equal_func);
  repair->set = lm_source_load_all (host->state_dir, host->catalogs, unused, cancellable, &no_set);
  repair->machines = lm_machine_list (host->state_dir, unused, &no_machines);
  index_records (repair);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  if (no_set != NULL)
    host->warning (host->user_data, no_set->message);
  if (no_machines != NULL)
    host->warning (host->user_data, no_machines->message);
  return g_steal_pointer (&repair);
}

/* Returns what a record says about the file; NULL if none does. Its parent was compared with
 * the file when it was pulled. */
static const LmBlob *
find_recorded (const LmRepair *repair, LmBlobKind kind, const LmDigest *digest)
{
  return g_hash_table_lookup (repair->recorded[kind], digest);
}

/* Sets in @blob what the catalog says about a layer. */
static gboolean
read_build (const LmCatalog *catalog, LmBlob *blob)
{
  const guint number = lm_catalog_find_build (catalog, &blob->digest);
  if (number == LM_CATALOG_NONE)
    return FALSE;
  const LmCatalogBuild build = lm_catalog_get_build (catalog, number);
  blob->size = build.size;
  blob->has_parent = build.parent != NULL;
  if (build.parent != NULL)
    blob->parent = *build.parent;
  blob->name = g_strdup (lm_catalog_get_layer_name (catalog, build.layer));
  return TRUE;
}

/* Likewise about a kernel or initrd. */
static gboolean
read_boot_file (const LmCatalog *catalog, LmBlob *blob)
{
  for (guint layer = 0; layer < lm_catalog_get_n_layers (catalog); layer++)
    {
      guint64 kernel_size = 0, initrd_size = 0;
      const LmDigest *kernel = lm_catalog_get_layer_kernel (catalog, layer, &kernel_size);
      const LmDigest *initrd = lm_catalog_get_layer_initrd (catalog, layer, &initrd_size);
      const gboolean is_kernel = kernel != NULL && lm_digest_equal (kernel, &blob->digest);
      if (!is_kernel && (initrd == NULL || !lm_digest_equal (initrd, &blob->digest)))
        continue;
      blob->size = is_kernel ? kernel_size : initrd_size;
      blob->name = g_strdup (is_kernel ? "kernel" : "initrd");
      return TRUE;
    }
  return FALSE;
}

static LmBlob *
find_listed (const LmRepair *repair, LmBlobKind kind, const LmDigest *digest)
{
  g_autoptr (LmBlob) blob = g_new0 (LmBlob, 1);
  blob->kind = kind;
  blob->digest = *digest;
  for (guint i = 0; repair->set != NULL && i < lm_catalog_set_get_length (repair->set); i++)
    {
      const LmCatalog *catalog = lm_catalog_set_get (repair->set, i);
      if (kind == LM_BLOB_LAYER ? read_build (catalog, blob) : read_boot_file (catalog, blob))
        return g_steal_pointer (&blob);
    }
  return NULL;
}

/* Returns the file as it is to be pulled, without URLs; NULL if nothing is known about it. */
static LmBlob *
find_file (const LmRepair *repair, LmBlobKind kind, const LmDigest *digest)
{
  const LmBlob *recorded = find_recorded (repair, kind, digest);
  if (recorded == NULL)
    return find_listed (repair, kind, digest);
  LmBlob *blob = lm_blob_dup (recorded);
  g_clear_pointer (&blob->urls, g_strfreev);
  return blob;
}

/* Those of the catalogs come first, because a file may have moved since it was recorded. */
static void
add_urls (const LmRepair *repair, LmBlob *blob)
{
  g_autoptr (GStrvBuilder) urls = g_strv_builder_new ();
  const LmBlob *recorded = find_recorded (repair, blob->kind, &blob->digest);
  if (repair->set != NULL)
    lm_catalog_set_add_urls (repair->set, blob);
  for (char **url = blob->urls; url != NULL && *url != NULL; url++)
    g_strv_builder_add (urls, *url);
  for (char **url = recorded != NULL ? recorded->urls : NULL; url != NULL && *url != NULL; url++)
    if (blob->urls == NULL || !g_strv_contains ((const char *const *) blob->urls, *url))
      g_strv_builder_add (urls, *url);
  g_strfreev (blob->urls);
  blob->urls = g_strv_builder_end (urls);
}

guint
lm_repair_get_depth (const LmRepair *repair, LmBlobKind kind, const LmDigest *digest)
{
  LmDigest next = *digest;
  guint depth = 0;
  while (depth < DEPTH_MAX)
    {
      g_autoptr (LmBlob) blob = find_file (repair, kind, &next);
      if (blob == NULL || !blob->has_parent)
        break;
      next = blob->parent;
      depth++;
    }
  return depth;
}

/* Returns the last file in the quarantine that should have had @digest; NULL if there is none. */
static char *
find_aside (LmCache *cache, const LmDigest *digest)
{
  g_autoptr (GPtrArray) entries = lm_quarantine_list (cache, NULL);
  for (guint i = 0; entries != NULL && i < entries->len; i++)
    {
      const LmQuarantineEntry *entry = g_ptr_array_index (entries, i);
      if (lm_digest_equal (&entry->digest, digest))
        return g_strdup (entry->path);
    }
  return NULL;
}

/* The caller holds a lease for @blob. */
static gboolean
pull_file (const LmHost *host, LmCache *cache, LmBlob *blob, GCancellable *cancellable, GError **error)
{
  const LmFetchOptions options = { .transfers = host->transfers };
  g_autoptr (GPtrArray) blobs = g_ptr_array_new ();
  g_ptr_array_add (blobs, blob);
  if (!lm_room_make (host, cache, blobs, cancellable, error))
    return FALSE;
  gboolean fetched = lm_fetch_run (blobs, cache, &options, host->progress, host->user_data, NULL, cancellable, error);
  lm_room_release (cache, blobs);
  return fetched && lm_fault_point ("repair-after-pull", error);
}

gboolean
lm_repair_file (const LmRepair *repair, LmCache *cache, const LmCacheEntry *entry, char **out_aside, gboolean *out_removed,
                GCancellable *cancellable, GError **error)
{
  g_autoptr (LmBlob) blob = find_file (repair, entry->kind, &entry->digest);
  if (blob != NULL)
    add_urls (repair, blob);
  if (blob == NULL || blob->urls[0] == NULL)
    return lm_throw (error, LM_REPAIR_ERROR, LM_REPAIR_ERROR_UNKNOWN,
                     lm_only_copy_has (repair->host, &entry->digest)
                       ? "it was made on this host, and no catalog has a URL for it; import or build it again"
                       : "neither a catalog nor the record of a machine says where it can be pulled from");
  if (!lm_fault_point ("repair-before-pull", error))
    return FALSE;
  LmCacheState state;
  g_autoptr (GPtrArray) blobs = g_ptr_array_new ();
  g_ptr_array_add (blobs, blob);
  g_autoptr (LmLock) lease = lm_cache_lease (cache, blobs, cancellable, error);
  if (lease == NULL || !lm_cache_check (cache, blob, &state, cancellable, error))
    return FALSE;
  g_autofree char *before = find_aside (cache, &entry->digest);
  if (state == LM_CACHE_DAMAGED && !pull_file (repair->host, cache, blob, cancellable, error))
    return FALSE;
  g_autofree char *after = find_aside (cache, &entry->digest);
  *out_removed = state == LM_CACHE_MISSING;
  *out_aside = g_strcmp0 (before, after) != 0 ? g_steal_pointer (&after) : NULL;
  return TRUE;
}
