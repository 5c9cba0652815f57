/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The disk of a layer that is built: on a parent an overlay, what the appliance does to it, and
 * the layer made of the difference; without one a new disk with the tree of builder-tree.h. For builder.c only. */
#include "build/payload.h"
#include "build/recipe-lock.h"
#include "cache/work-dir.h"
#include "ops/host.h"

typedef struct
{
  const LmHost *host;
  LmCache *cache;
  const LmWorkDir *work;
  const char *program;         /* lamina-appliance */
  const char *virt_type;       /* "kvm" or "qemu"; NULL for kvm if it works */
  const LmRecipe *recipe;
  const GPtrArray *payload;    /* its files are copied */
  const LmRecipeLock *lock;    /* its packages are in the cache */
  const LmBlob *parent;        /* in the cache; NULL for a base */
  char *const *contents;       /* packages of the parent, as the catalogs say; NULL for a base */
} LmBuilderDisk;

/* What is made besides the layer. */
typedef struct
{
  char **contents;        /* the packages of its guest, "NAME=VERSION", sorted */
  char *kernel, *initrd;  /* files in the work directory; NULL if the disk boots by itself, or the guest has no initrd */
} LmBuilderMade;

/** lm_builder_made_clear: frees what @made owns. */
void lm_builder_made_clear (LmBuilderMade *made);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LmBuilderMade, lm_builder_made_clear)

/** lm_builder_disk_make: makes the layer, the file @to, which exists and is overwritten.
 * Reports what it does to the host. Blocks, for minutes. Errors: LM_APPLIANCE_ERROR, those of lm_builder_tree_make(), LM_IMAGE_ERROR,
 * LM_PACKAGES_ERROR_CONFLICT (packages are there, but not completely installed), LM_RUN_ERROR, G_IO_ERROR. */
gboolean lm_builder_disk_make (const LmBuilderDisk *build, const char *to, LmBuilderMade *out_made,
                               GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
