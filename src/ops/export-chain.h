/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What an archive of a chain has to contain: the files, and their entries in the
 * catalogs. For export.c and the publication of layers. */
#include "ops/host.h"
#include "plan/plan.h"
#include "machine/machine.h"

typedef struct
{
  GPtrArray *blobs;  /* LmBlob: layers, base first, then kernel and initrd */
  GPtrArray *layers; /* LmLayer: their catalog entries, in the same order; each has one build */
  GPtrArray *groups; /* LmGroup: those of all catalogs */
  char *name;        /* of the only source that they are from; NULL if there are several */
} LmExportChain;

/** lm_export_chain_find_entry: returns the entry of a catalog of @set that lists the layer file with
 * @digest, preferably under this name and version (which may be NULL); NULL if there is none. Newly
 * allocated, as for lm_catalog_set_load_layer(). */
LmLayer *lm_export_chain_find_entry (const LmCatalogSet *set, const LmDigest *digest, const char *name, const char *version);

/** lm_export_chain_free: frees @chain; NULL is ignored. */
void lm_export_chain_free (LmExportChain *chain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmExportChain, lm_export_chain_free)

/** lm_export_chain_of_plan: returns the chain of @plan, which was made over @set. */
LmExportChain *lm_export_chain_of_plan (const LmCatalogSet *set, const LmPlan *plan);

/** lm_export_chain_of_machine: returns the chain of @machine. Entries of what @set
 * does not list any more are made from the record, with a warning to @host if
 * something is lost by that. */
LmExportChain *lm_export_chain_of_machine (const LmHost *host, const LmCatalogSet *set, const LmMachine *machine);

/** lm_export_chain_set_size: sets the size of the blob at @index, in bytes, in its catalog
 * entry too. */
void lm_export_chain_set_size (LmExportChain *chain, guint index, guint64 size);

/** lm_export_chain_to_json: returns the text of the catalog; newly allocated. */
char *lm_export_chain_to_json (LmExportChain *chain);
