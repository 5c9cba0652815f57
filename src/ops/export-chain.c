/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/export-chain.h"
#include "catalog/portable.h"
#include "catalog/selection.h"
#include "source/source.h"

#include <string.h>

void
lm_export_chain_free (LmExportChain *chain)
{
  if (chain == NULL)
    return;
  g_ptr_array_unref (chain->blobs);
  g_ptr_array_unref (chain->layers);
  g_ptr_array_unref (chain->groups);
  g_free (chain->name);
  g_free (chain);
}

static LmExportChain *
chain_new (const LmCatalogSet *set)
{
  LmExportChain *chain = g_new0 (LmExportChain, 1);
  chain->blobs = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_blob_free);
  chain->layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  chain->groups = lm_catalog_set_load_groups (set);
  return chain;
}

LmLayer *
lm_export_chain_find_entry (const LmCatalogSet *set, const LmDigest *digest, const char *name, const char *version)
{
  LmLayerRef found = { G_MAXUINT, 0 };
  for (guint i = 0; i < lm_catalog_set_get_length (set); i++)
    {
      const LmCatalog *catalog = lm_catalog_set_get (set, i);
      guint build = lm_catalog_find_build (catalog, digest);
      if (build == LM_CATALOG_NONE)
        continue;
      guint layer = lm_catalog_get_build (catalog, build).layer;
      gboolean same = g_strcmp0 (lm_catalog_get_layer_name (catalog, layer), name) == 0
                      && g_strcmp0 (lm_catalog_get_layer_version (catalog, layer), version) == 0;
      if (same || found.catalog == G_MAXUINT)
        found = (LmLayerRef){ i, layer };
      if (same)
        break;
    }
  return found.catalog != G_MAXUINT ? lm_catalog_set_load_layer (set, found) : NULL;
}

/* Returns what @entry lists as the file of @blob, or else @blob itself; newly allocated. */
static LmBuild *
find_listed_build (const LmLayer *entry, const LmBlob *blob)
{
  for (guint i = 0; i < entry->builds->len; i++)
    {
      const LmBuild *build = lm_layer_get_build (entry, i);
      if (lm_digest_equal (&build->blob.digest, &blob->digest))
        return lm_build_dup (build);
    }
  return lm_build_new (blob);
}

/* Adds the next layer and its entry, of which it takes ownership. */
static void
add_chain_layer (LmExportChain *chain, LmLayer *entry, const LmBlob *blob)
{
  guint n = chain->layers->len;
  LmBlob *file = lm_blob_dup (blob);
  LmBuild *build = find_listed_build (entry, blob);
  const LmBlob *below = n > 0 ? g_ptr_array_index (chain->blobs, n - 1) : NULL;
  /* What it records is about another parent then, and the catalog is wrong. */
  if (build->blob.has_parent != (n > 0) || (n > 0 && !lm_digest_equal (&build->blob.parent, &below->digest)))
    lm_build_clear_record (build);
  file->has_parent = build->blob.has_parent = n > 0;
  if (n > 0)
    file->parent = build->blob.parent = below->digest;
  g_ptr_array_set_size (entry->builds, 0);
  g_ptr_array_add (entry->builds, build);
  g_ptr_array_add (chain->layers, entry);
  g_ptr_array_add (chain->blobs, file);
}

/* Whether @file, of an entry, is one of the chain's kernel and initrd. */
static gboolean
is_chain_file (const LmExportChain *chain, const LmBlob *file)
{
  for (guint i = chain->layers->len; file != NULL && i < chain->blobs->len; i++)
    if (lm_digest_equal (&((LmBlob *) g_ptr_array_index (chain->blobs, i))->digest, &file->digest))
      return TRUE;
  return FALSE;
}

/* A layer further up may have replaced the kernel of one below, which is not needed then. */
static void
drop_unused_files (LmExportChain *chain)
{
  for (guint i = 0; i < chain->layers->len; i++)
    {
      LmLayer *layer = g_ptr_array_index (chain->layers, i);
      if (!is_chain_file (chain, layer->kernel))
        g_clear_pointer (&layer->kernel, lm_blob_free);
      if (!is_chain_file (chain, layer->initrd))
        g_clear_pointer (&layer->initrd, lm_blob_free);
    }
}

/* The name is that of the source, if it is one and a name; a --catalog has none, and what
 * one host made itself another has not. */
static void
set_chain_name (LmExportChain *chain)
{
  const char *name = NULL;
  for (guint i = 0; i < chain->layers->len; i++)
    {
      const LmLayer *layer = g_ptr_array_index (chain->layers, i);
      if (!lm_name_is_valid (layer->source) || strcmp (layer->source, LM_LOCAL_NAME) == 0 || (i > 0 && g_strcmp0 (layer->source, name) != 0))
        return;
      name = layer->source;
    }
  chain->name = g_strdup (name);
}

LmExportChain *
lm_export_chain_of_plan (const LmCatalogSet *set, const LmPlan *plan)
{
  LmExportChain *chain = chain_new (set);
  for (guint i = 0; i < plan->layers->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (plan->layers, i);
      LmLayer *entry = lm_export_chain_find_entry (set, &item->blob.digest, item->blob.name, item->version);
      add_chain_layer (chain, entry, &item->blob);
    }
  for (guint i = 0; i < plan->blobs->len; i++)
    g_ptr_array_add (chain->blobs, lm_blob_dup (&((LmPlanItem *) g_ptr_array_index (plan->blobs, i))->blob));
  drop_unused_files (chain);
  set_chain_name (chain);
  return chain;
}

static LmLayer *
make_entry (const LmDomainLayer *recorded)
{
  LmLayer *entry = g_new0 (LmLayer, 1);
  entry->name = g_strdup (recorded->blob.name);
  entry->version = g_strdup (recorded->version);
  entry->group = g_strdup (recorded->group != NULL ? recorded->group : recorded->blob.name);
  entry->builds = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_build_free);
  entry->source = recorded->source;
  return entry;
}

/* A kernel that no entry has any more belongs to the base. */
static void
add_recorded_file (LmExportChain *chain, const LmHost *host, const LmMachine *machine, const LmBlob *file, gboolean is_kernel)
{
  if (file == NULL)
    return;
  g_ptr_array_add (chain->blobs, lm_blob_dup (file));
  for (guint i = 0; i < chain->layers->len; i++)
    {
      const LmLayer *layer = g_ptr_array_index (chain->layers, i);
      const LmBlob *listed = is_kernel ? layer->kernel : layer->initrd;
      if (listed != NULL && lm_digest_equal (&listed->digest, &file->digest))
        return;
    }
  LmLayer *base = g_ptr_array_index (chain->layers, 0);
  LmBlob **slot = is_kernel ? &base->kernel : &base->initrd;
  lm_blob_free (*slot);
  *slot = lm_blob_dup (file);
  g_autofree char *text
    = g_strdup_printf ("no catalog lists the %s of %s any more; the archive has it as that of %s%s", file->name, machine->name,
                       base->name, base->cmdline == NULL ? ", but its command line is not known" : "");
  host->warning (host->user_data, text);
}

LmExportChain *
lm_export_chain_of_machine (const LmHost *host, const LmCatalogSet *set, const LmMachine *machine)
{
  LmExportChain *chain = chain_new (set);
  for (guint i = 0; i < machine->layers->len; i++)
    {
      const LmDomainLayer *recorded = g_ptr_array_index (machine->layers, i);
      LmLayer *entry = lm_export_chain_find_entry (set, &recorded->blob.digest, recorded->blob.name, recorded->version);
      g_autofree char *text = g_strdup_printf ("no catalog lists %s %s any more; the archive has its name and version only",
                                               recorded->blob.name, recorded->version);
      if (entry == NULL)
        host->warning (host->user_data, text);
      add_chain_layer (chain, entry != NULL ? entry : make_entry (recorded), &recorded->blob);
    }
  add_recorded_file (chain, host, machine, machine->kernel_blob, TRUE);
  add_recorded_file (chain, host, machine, machine->initrd_blob, FALSE);
  drop_unused_files (chain);
  set_chain_name (chain);
  return chain;
}

static void
set_file_size (LmBlob *file, const LmBlob *from)
{
  if (file != NULL && lm_digest_equal (&file->digest, &from->digest))
    file->size = from->size;
}

void
lm_export_chain_set_size (LmExportChain *chain, guint index, guint64 size)
{
  LmBlob *blob = g_ptr_array_index (chain->blobs, index);
  blob->size = size;
  if (index < chain->layers->len)
    set_file_size (&lm_layer_get_build (g_ptr_array_index (chain->layers, index), 0)->blob, blob);
  for (guint i = 0; i < chain->layers->len && index >= chain->layers->len; i++)
    {
      const LmLayer *layer = g_ptr_array_index (chain->layers, i);
      set_file_size (layer->kernel, blob);
      set_file_size (layer->initrd, blob);
    }
}

char *
lm_export_chain_to_json (LmExportChain *chain)
{
  return lm_portable_to_json (chain->name, chain->groups, chain->layers);
}
