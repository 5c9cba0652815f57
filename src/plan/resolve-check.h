/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Finds errors in selections and reports them in the user's terms, with
 * suggestions. For resolve.c only. Errors: LM_RESOLVE_ERROR. */
#include "plan/resolve.h"
#include "plan/solver.h"

/** lm_resolve_check_selections: whether each selection, considered on its own, matches a layer. */
gboolean lm_resolve_check_selections (const LmCatalogSet *set, const LmResolution *resolution, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_resolve_check_group_limits: whether no two selections are in a group that
 * allows only one layer, which does not require the solver. To be called after the
 * candidates have been collected. */
gboolean lm_resolve_check_group_limits (const LmResolution *resolution, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_resolve_check_required: whether @chosen (LmCandidate) contains a layer of
 * each group that a machine needs. */
gboolean lm_resolve_check_required (const LmCatalogSet *set, const LmResolution *resolution, const GPtrArray *chosen,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_resolve_throw_unsatisfiable: sets @error to why the selections cannot be
 * combined, given the @reasons (char *) of @solver, and returns FALSE. */
gboolean lm_resolve_throw_unsatisfiable (LmSolver *solver, const LmResolution *resolution, const GPtrArray *reasons,
                                         GError **error);
