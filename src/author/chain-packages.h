/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What packages a chain has that is in the cache. */
#include "build/appliance.h"
#include "catalog/catalog-set.h"
#include "ops/host.h"

/** lm_chain_packages_find: returns the packages of the guest on the chain with the top layer @top, "NAME=VERSION",
 * sorted: what the catalogs of @set say, or else what the appliance reads (@appliance: program and virt_type). What it
 * reads of a base that this host made is added to the local catalog. The caller holds a lease for the chain. Blocks.
 * Errors: LM_APPLIANCE_ERROR, LM_PACKAGES_ERROR, those of lm_local_entry_add(). */
char **lm_chain_packages_find (const LmHost *host, const LmCatalogSet *set, const LmBlob *top, const LmApplianceSettings *appliance,
                               GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
