/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "build": a layer is made of a recipe, on a chain, and listed by the local catalog
 * (source/local.h). What is there already under the same identity, that is the same locked recipe
 * on the same parent, is not built again; two processes that need the same layer build it once. */
#include "author/layer-result.h"
#include "build/appliance.h"
#include "ops/host.h"

typedef enum
{
  LM_BUILDER_ERROR_REQUEST,   /* the recipe and the chain do not fit together */
  LM_BUILDER_ERROR_DIFFERENT, /* this host has a layer of that name and version with other content */
} LmBuilderError;

#define LM_BUILDER_ERROR lm_builder_error_quark ()
GQuark lm_builder_error_quark (void);

typedef struct
{
  const char *recipe;              /* path */
  const char *version;             /* that the layer must have; NULL for any */
  const char *const *on;           /* selections: the chain; NULL or empty for what the recipe stands on */
  const char *const *packages;     /* package indexes; NULL or empty for those of the recipe, or else of apt */
  gboolean anew;                   /* versions are chosen anew, whatever the lock file says */
  gboolean leave_lock;             /* the lock file is used if it is there, but not written */
  LmApplianceSettings appliance;   /* program and virt_type */
} LmBuilderRequest;

/** lm_builder_run: does what @request says. After a failure nothing is listed, and of what was made only
 * the packages are kept, in the cache. Blocks, for minutes. Errors: LM_BUILDER_ERROR, LM_YAML_ERROR, LM_LOCAL_ENTRY_ERROR, those of
 * lm_builder_parent_open(), lm_builder_packages_choose(), lm_builder_disk_make(), lm_scratch_publish()
 * and lm_local_add(). */
LmLayerResult *lm_builder_run (const LmHost *host, const LmBuilderRequest *request, GCancellable *cancellable,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
