/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/builder-parent.h"
#include "author/chain-packages.h"
#include "ops/prepare.h"

void
lm_builder_parent_free (LmBuilderParent *parent)
{
  if (parent == NULL)
    return;
  lm_plan_free (parent->plan);
  lm_lock_release (parent->lease);
  g_strfreev (parent->contents);
  g_free (parent);
}

/* What there are only recipes of is built if @host does that, and *@set then read again; else the message says how to. */
static LmPlan *
plan_chain (const LmHost *host, LmCatalogSet **set, const char *const *on, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  LmPlan *ready = lm_prepare_plan_over (host, *set, on, cancellable, &failure);
  if (ready != NULL)
    return ready;
  if (failure->domain != LM_RESOLVE_ERROR)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  g_autoptr (LmPlan) plan = lm_prepare_plan (host, on, cancellable, error);
  LmCatalogSet *now = plan != NULL ? lm_prepare_catalogs (host, cancellable, error) : NULL;
  if (now == NULL)
    return NULL;
  lm_catalog_set_free (*set);
  *set = now;
  return g_steal_pointer (&plan);
}

LmBuilderParent *
lm_builder_parent_open (const LmHost *host, LmCatalogSet **set, const char *const *on, const LmApplianceSettings *appliance,
                      GCancellable *cancellable, GError **error)
{
  g_autoptr (LmBuilderParent) parent = g_new0 (LmBuilderParent, 1);
  LmPrepareResult pulled = { 0 };
  parent->plan = plan_chain (host, set, on, cancellable, error);
  if (parent->plan == NULL || !lm_prepare_pull (host, parent->plan, &pulled, &parent->lease, cancellable, error))
    return NULL;
  const LmPlanItem *top = g_ptr_array_index (parent->plan->layers, parent->plan->layers->len - 1);
  parent->top = &top->blob;
  parent->contents = lm_chain_packages_find (host, *set, parent->top, appliance, cancellable, error);
  return parent->contents != NULL ? g_steal_pointer (&parent) : NULL;
}
