/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Proposes layers for roles: resolves the packages of each role, divides them into layers
 * (layering.h) and says why each layer is there. Pure. Roles and layers are numbered as in
 * the LmRoles and the LmLayering; packages of the layering are numbers of its own. */
#include "build/layering.h"
#include "build/packages.h"
#include "build/role.h"

typedef struct
{
  LmLayering *layering;
  LmLayeringInput input;
  GArray *ids;        /* for each package of the layering its number in the LmPackages */
  char **names;       /* proposed, for each layer */
  double whole;       /* bytes stored if each role were one image */
  double asked;       /* bytes that a launch asks for, on average */
  guint longest;      /* layers of the longest chain */
  /* Private. */
  LmPackages *packages;
  const LmRoles *roles;
  GPtrArray *sets;
  LmLayeringRole *layering_roles;
  guint64 *sizes;
} LmGrouping;

/* Why a layer is there: without it, the layers and chains directly above would have to
 * carry what they need of it themselves. */
typedef struct
{
  guint carriers; /* how many would */
  guint64 repeated; /* bytes that they would carry, beyond the first copy */
} LmGroupingReason;

/** lm_grouping_new: groups @packages for @roles, with at most @max_layers (> 1) in a chain;
 * both must outlive the result. @recommended as for lm_packages_resolve(). CPU-bound; for
 * all of Debian and a hundred roles, less than a second. Errors: LM_PACKAGES_ERROR; the
 * message begins with the role. */
LmGrouping *lm_grouping_new (LmPackages *packages, const LmRoles *roles, guint max_layers, gboolean recommended,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_grouping_free: frees @grouping; NULL is ignored. */
void lm_grouping_free (LmGrouping *grouping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmGrouping, lm_grouping_free)

/** lm_grouping_get_reason: returns why the layer @layer is there. */
LmGroupingReason lm_grouping_get_reason (const LmGrouping *grouping, guint layer);

/** lm_grouping_can_hold: whether the package @package, alone, could be in the layer @layer: what
 * it needs is in that or below, and nothing in the chains with that layer conflicts with it. */
gboolean lm_grouping_can_hold (const LmGrouping *grouping, guint package, guint layer);

/** lm_grouping_find_layer: returns the layer with the proposed name @name; G_MAXUINT if
 * there is none. */
guint lm_grouping_find_layer (const LmGrouping *grouping, const char *name);

/** lm_grouping_find_package: returns the package @name as a number of the layering;
 * G_MAXUINT if no role needs it. */
guint lm_grouping_find_package (const LmGrouping *grouping, const char *name);
