/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The chain on which something is built: in the cache, and what packages its guest has. */
#include "build/appliance.h"
#include "catalog/catalog-set.h"
#include "ops/host.h"
#include "plan/plan.h"

typedef struct
{
  LmPlan *plan;
  LmLock *lease;      /* keeps the layers in the cache */
  const LmBlob *top;  /* the layer on which something is built; owned by the plan */
  char **contents;    /* packages, "NAME=VERSION", sorted */
} LmBuilderParent;

/** lm_builder_parent_open: pulls the chain that the selections @on give over *@set, as far as it is
 * missing; if @host builds what there are only recipes of, that too, and *@set is read again. Finds
 * out what packages it has: from the catalogs, or else by the appliance (@appliance: program and
 * virt_type). Blocks. Errors: those of lm_prepare_plan(),
 * lm_prepare_pull(), LM_APPLIANCE_ERROR, LM_PACKAGES_ERROR. */
LmBuilderParent *lm_builder_parent_open (const LmHost *host, LmCatalogSet **set, const char *const *on,
                                     const LmApplianceSettings *appliance, GCancellable *cancellable,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_builder_parent_free: frees @parent; NULL is ignored. */
void lm_builder_parent_free (LmBuilderParent *parent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmBuilderParent, lm_builder_parent_free)
