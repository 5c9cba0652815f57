/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Divides the packages that roles need into layers, so that roles share as much as
 * possible and carry little that they did not ask for. Pure and deterministic. Packages
 * and roles are numbered from 0 here.
 *
 * Layers form a tree, because a layer is the difference to exactly one parent; a role's
 * chain is a path from the root. The objective, in bytes per launch:
 *
 *     stored / roles  +  mean over n of moved (n)  +  excess
 *
 * stored is the sum of the sizes of all layers. moved (n) is what a launch is expected
 * to pull on a host that has launched n roles before, each chosen by weight: a layer in
 * the chains of roles with the total weight p is needed with the probability p, and not
 * there yet with the probability (1 - p)^n (the independent reference model of caching:
 * Aven, Coffman and Kogan, "Stochastic Analysis of Computer Storage", 1987). n is 1, 5
 * and 20. excess is what a launch is expected to get without having asked for it.
 *
 * For a given tree the best place of a package depends on no other package and is found
 * exactly, from the leaves up. The tree is found by joining the two subtrees that gain
 * most, as in agglomerative clustering (Ward 1963), and then by moving subtrees while
 * that gains something, as for phylogenetic trees (subtree pruning and regrafting,
 * Swofford and Olsen 1990). */
#include <glib.h>

typedef struct
{
  double weight;          /* >= 0; only the ratio to other roles counts */
  const GArray *packages; /* numbers (guint) in ascending order, with everything they need */
} LmLayeringRole;

typedef struct
{
  const guint64 *sizes; /* of the packages, in bytes */
  guint n_packages;
  const LmLayeringRole *roles;
  guint n_roles;    /* > 0 */
  guint max_layers; /* in a chain, > 1 */
  guint64 overhead; /* bytes that a layer has besides its packages; a smaller gain makes no layer */
  /* Whether @package can be in a chain that has exactly the packages @chain (guint, in
   * ascending order): its dependencies are fulfilled and nothing conflicts with it. Called
   * for what was placed in a layer that a role did not ask for. NULL: everything fits. */
  gboolean (*fits) (gpointer fits_data, guint package, const GArray *chain);
  gpointer fits_data;
} LmLayeringInput;

typedef struct
{
  guint parent;     /* number of the layer below; G_MAXUINT for the base */
  GArray *packages; /* guint, in ascending order */
  guint64 size;
  double weight;    /* share of the launches with this layer, 0 to 1 */
  guint n_roles;    /* whose chains have this layer */
} LmLayeringLayer;

typedef struct
{
  GPtrArray *layers; /* LmLayeringLayer, parents first */
  guint *tops;       /* for each role the number of the last layer of its chain */
  double stored, moved, excess; /* the parts of the objective */
} LmLayering;

/** lm_layering_new: finds layers for @input; never NULL. CPU-bound. */
LmLayering *lm_layering_new (const LmLayeringInput *input);
/** lm_layering_free: frees @layering; NULL is ignored. */
void lm_layering_free (LmLayering *layering);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLayering, lm_layering_free)

/** lm_layering_share: returns the share of the role @role in the launches, from 0 to 1. It is
 * never 0: a role without weight is only very rare. */
double lm_layering_share (const LmLayeringInput *input, guint role);

/* What the objective would be for one package, in bytes per launch; stored is divided by
 * the number of roles. */
typedef struct
{
  double stored, moved, excess;
} LmLayeringCost;

/** lm_layering_get_cost: returns what the package @package contributes to the objective. */
LmLayeringCost lm_layering_get_cost (const LmLayering *layering, const LmLayeringInput *input, guint package);

/** lm_layering_get_cost_in: returns what @package would contribute if it were moved to the
 * layer @layer: it is in none below or above that one, and other roles that need it have it
 * where that costs least. */
LmLayeringCost lm_layering_get_cost_in (const LmLayering *layering, const LmLayeringInput *input, guint package, guint layer);
