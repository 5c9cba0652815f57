/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The plan: how a selection becomes a chain on this host. A value; making one
 * touches nothing. It knows neither cache nor network: what is cached it is
 * told through an LmPlanView. */
#include "base/digest.h"
#include "model/layer.h"

typedef enum
{
  LM_PLAN_CACHED,
  LM_PLAN_PULL,
} LmPlanAction;

typedef enum
{
  LM_PLAN_LAYER, /* cached as layers/sha256-<hex>.qcow2 */
  LM_PLAN_BLOB,  /* cached as blobs/sha256-<hex> */
} LmPlanKind;

/* One file that the machine needs. */
typedef struct
{
  LmPlanKind kind;
  char *name;    /* layer name; for a blob its role: "kernel", "initrd" */
  char *version; /* layers only; else NULL, as are group and source */
  char *group;
  char *source;  /* the catalog that it comes from */
  LmDigest digest;
  gboolean has_parent;
  LmDigest parent; /* valid if has_parent */
  guint64 size;    /* bytes of the file */
  LmPlanAction action;
  char **urls; /* absolute; mirrors in order */
  char *path;  /* where the cache has it or will have it; absolute */
} LmPlanItem;

typedef struct
{
  char **selections;  /* as resolved: "group=name@version", sorted by the user's order */
  GPtrArray *layers;  /* LmPlanItem, base first */
  GPtrArray *blobs;   /* LmPlanItem */
  guint64 bytes_to_pull;
  /* What the layers say of the machine; NULL or 0: nothing. From the topmost
   * layer that says it; memory and disk are the largest that any says. */
  char *arch;
  char *osinfo;
  char *ready;
  char *cmdline;
  guint64 memory; /* bytes */
  guint64 disk;   /* bytes */
} LmPlan;

/* How a plan asks what this host has. */
typedef struct
{
  /* TRUE if cached. *out_path is set either way to where the file is or will
   * be; the caller frees it. */
  gboolean (*lookup) (gpointer user_data, LmPlanKind kind, const LmDigest *digest, char **out_path);
  gpointer user_data;
} LmPlanView;

void lm_plan_item_free (LmPlanItem *item);
void lm_plan_free (LmPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPlanItem, lm_plan_item_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPlan, lm_plan_free)

/** lm_plan_to_json: the plan as one JSON document (the form of
 * "lamina plan --json"), newly allocated, pretty-printed. */
char *lm_plan_to_json (const LmPlan *plan);
