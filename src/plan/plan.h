/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A plan: how selections become a chain on this host. A plain value; making one has
 * no effects. The planner uses neither cache nor network: an LmPlanView tells it
 * what is cached. */
#include "base/blob.h"
#include "catalog/catalog-set.h"
#include "catalog/layer.h"
#include "plan/resolve.h"

typedef enum
{
  LM_PLAN_CACHED,
  LM_PLAN_PULL,
  LM_PLAN_BUILD, /* it is a layer that nobody has built yet: of its blob, only the name is known */
} LmPlanAction;

/* What it takes to build a layer. */
typedef struct
{
  gboolean known;         /* otherwise the rest is not valid */
  guint packages;         /* number of packages to install */
  guint64 bytes_to_fetch; /* of those that are not cached */
} LmPlanEstimate;

/* One file that the machine needs. */
typedef struct
{
  LmBlob blob;
  char *version; /* layers only, like group; otherwise NULL; of one to build, that selected, or NULL */
  char *group;
  char *source;  /* the catalog that lists it; NULL if it is to be built */
  LmPlanAction action;
  char *path;    /* absolute path in the cache, whether it is there yet or not; NULL if it is to be built */
  char *recipe;  /* from which it is to be built; otherwise NULL */
  LmPlanEstimate estimate; /* if it is to be built; a new plan knows none */
} LmPlanItem;

typedef struct
{
  char **selections;  /* as resolved: "group=name@version", in the user's order */
  GPtrArray *layers;  /* LmPlanItem, base first; those to be built come last */
  GPtrArray *blobs;   /* LmPlanItem */
  guint n_to_build;   /* number of layers that are to be built */
  guint64 bytes_to_pull;
  char *arch; /* for which it was resolved; a layer without an architecture fits any */
  /* What the layers say about the machine; NULL or 0 if nothing. Taken from the
   * topmost layer that says it, except that memory and disk are the largest that
   * any layer says. */
  char *osinfo;
  char *ready;
  char *cmdline;
  guint64 memory; /* in bytes */
  guint64 disk;   /* in bytes */
  char **notes; /* warnings, for example that a newer version has no builds or that a catalog is wrong; never NULL */
} LmPlan;

/* How a plan finds out what is cached on this host. */
typedef struct
{
  /* Sets *out_cached to whether the file with the kind and digest of @blob is cached.
   * @blob contains the size and parent that a catalog claims; if the file is cached,
   * they are replaced by those of the file. *out_path is set to the path that the file
   * has or will have; the caller frees it. Returns FALSE and @error if it cannot be
   * determined whether the file is there. */
  gboolean (*lookup) (gpointer user_data, LmBlob *blob, gboolean *out_cached, char **out_path, GError **error);
  gpointer user_data;
} LmPlanView;

typedef struct
{
  const char *path;
  gboolean base; /* it makes a base */
} LmPlanRecipe;

typedef struct
{
  const char *arch; /* NULL for that of the host */
  /* Sets *out_recipe to the recipe of the layer @name, owned by @user_data; FALSE if there is
   * none. NULL if nothing is to be built. */
  gboolean (*find_recipe) (gpointer user_data, const char *name, LmPlanRecipe *out_recipe);
  gpointer user_data;
} LmPlanOptions;

/** lm_plan_new: resolves @selections over @set and finds the chain of builds with
 * the fewest bytes to pull, given what @view reports as cached. A layer that was
 * not selected is included only if it is required. If the newest fitting versions
 * were never built together, the newest that were are used, and a note says so.
 * If there is no such chain, and @options has recipes, the plan has that chain to which
 * the fewest layers must be added, and these are to be built.
 * @options may be NULL. Pure. Errors: LM_SELECTION_ERROR, LM_RESOLVE_ERROR,
 * and those of the lookup of @view. */
LmPlan *lm_plan_new (const LmCatalogSet *set, const char *const *selections, const LmPlanOptions *options,
                     const LmPlanView *view, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_plan_item_free: frees @item; NULL is ignored. */
void lm_plan_item_free (LmPlanItem *item);
/** lm_plan_free: frees @plan; NULL is ignored. */
void lm_plan_free (LmPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPlanItem, lm_plan_item_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPlan, lm_plan_free)

/** lm_plan_list_blobs: returns everything that @plan, of which nothing is to be built, needs,
 * layers base first, then the other files: a new array of LmBlob, which @plan owns. */
GPtrArray *lm_plan_list_blobs (const LmPlan *plan);
/** lm_plan_list_layers: like lm_plan_list_blobs(), for the layers only. */
GPtrArray *lm_plan_list_layers (const LmPlan *plan);

/** lm_plan_to_json: returns the plan as a JSON document in the format of "lamina
 * plan --json", indented; newly allocated. */
char *lm_plan_to_json (const LmPlan *plan);
