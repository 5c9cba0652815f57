/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The layers that a plan says are to be built (plan/plan.h): built one on the other, so that
 * afterwards there is a chain for the plan's selections. Lock files beside the recipes are used,
 * but not written, because recipes may be those that were installed with lamina. */
#include "author/builder.h"
#include "plan/plan.h"

typedef struct
{
  LmApplianceSettings appliance; /* program and virt_type */
  GPtrArray *results; /* LmLayerResult: what was built is appended to it */
  GPtrArray *leases;  /* LmLock: so that it is not removed before it is used; likewise */
} LmChainBuilder;

/** lm_chain_builder_run: builds what is to be built for @plan; for LmHost.build, with an LmChainBuilder as
 * build_data. What was built before a failure stays. What somebody removes before it is leased is built again. Blocks, for minutes. Errors: those of
 * lm_builder_run(); LM_BUILDER_ERROR_REQUEST if a recipe makes another version than the one selected. */
gboolean lm_chain_builder_run (const LmHost *host, const LmPlan *plan, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_chain_builder_estimate: finds out what it takes to build the layers of @plan, and their versions,
 * from package indexes and the lock files. What cannot be found out stays unknown, with a warning to @host.
 * Blocks. Errors: G_IO_ERROR_CANCELLED, those of lm_source_load_all() and lm_cache_open_readonly(). */
gboolean lm_chain_builder_estimate (const LmHost *host, LmPlan *plan, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
