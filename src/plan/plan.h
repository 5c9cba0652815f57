/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The plan: how a selection becomes a chain on this host. A value; making one
 * touches nothing. It knows neither cache nor network: what is cached it is
 * told through an LmPlanView. */
#include "base/blob.h"
#include "catalog/catalog-set.h"
#include "catalog/layer.h"
#include "plan/resolve.h"

typedef enum
{
  LM_PLAN_CACHED,
  LM_PLAN_PULL,
} LmPlanAction;

/* One file that the machine needs. */
typedef struct
{
  LmBlob blob;
  char *version; /* layers only; else NULL, as is group */
  char *group;
  char *source;  /* the catalog that it comes from */
  LmPlanAction action;
  char *path;    /* where the cache has it or will have it; absolute */
} LmPlanItem;

typedef struct
{
  char **selections;  /* as resolved: "group=name@version", sorted by the user's order */
  GPtrArray *layers;  /* LmPlanItem, base first */
  GPtrArray *blobs;   /* LmPlanItem */
  guint64 bytes_to_pull;
  char *arch; /* what it was resolved for: layers that say none suit any */
  /* What the layers say of the machine; NULL or 0: nothing. From the topmost
   * layer that says it; memory and disk are the largest that any says. */
  char *osinfo;
  char *ready;
  char *cmdline;
  guint64 memory; /* bytes */
  guint64 disk;   /* bytes */
  char **notes; /* warnings, as of a newer version without builds or a catalog that is wrong; empty: none */
} LmPlan;

/* How a plan asks what this host has. */
typedef struct
{
  /* TRUE if the file of @blob's kind and digest is cached. @blob holds the size and
   * parent that a catalog claims; if TRUE, they are set to what the file has.
   * *out_path is set either way to where the file is or will be; the caller frees it. */
  gboolean (*lookup) (gpointer user_data, LmBlob *blob, char **out_path);
  gpointer user_data;
} LmPlanView;

typedef struct
{
  const char *arch; /* NULL: the host's */
} LmPlanOptions;

/** lm_plan_new: resolves @selections over @set and finds the chain of builds
 * that is cheapest to pull, given what @view has. A layer that was not selected
 * is in it only if it is required. Where the newest versions that fit were
 * never built together, the newest that were are used, and a note says so.
 * @options may be NULL. Pure. Errors: LM_SELECTION_ERROR, LM_RESOLVE_ERROR. */
LmPlan *lm_plan_new (const LmCatalogSet *set, const char *const *selections, const LmPlanOptions *options,
                     const LmPlanView *view, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void lm_plan_item_free (LmPlanItem *item);
void lm_plan_free (LmPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPlanItem, lm_plan_item_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPlan, lm_plan_free)

/** lm_plan_list_blobs: all that @plan needs, layers base first, then the other
 * files; a new array of LmBlob that @plan owns. lm_plan_list_layers: the layers only. */
GPtrArray *lm_plan_list_blobs (const LmPlan *plan);
GPtrArray *lm_plan_list_layers (const LmPlan *plan);

/** lm_plan_to_json: the plan as one JSON document (the form of
 * "lamina plan --json"), newly allocated, pretty-printed. */
char *lm_plan_to_json (const LmPlan *plan);
