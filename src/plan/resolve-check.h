/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What of selections cannot be right, said in the user's words with what would
 * work. For resolve.c only. Errors: LM_RESOLVE_ERROR. */
#include "plan/resolve.h"
#include "plan/solver.h"

/** lm_resolve_check_selections: whether there is a layer for each, by itself. */
gboolean lm_resolve_check_selections (const LmCatalogSet *set, const LmResolution *resolution, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_resolve_check_group_limits: whether no two are of one group that allows one layer: no
 * need to ask the solver. After the candidates were collected. */
gboolean lm_resolve_check_group_limits (const LmResolution *resolution, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_resolve_check_required: whether @chosen (LmCandidate) has a layer of each
 * group that a machine needs. */
gboolean lm_resolve_check_required (const LmCatalogSet *set, const LmResolution *resolution, const GPtrArray *chosen,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_resolve_throw_unsatisfiable: sets @error to why they do not go together,
 * by the @solver's @reasons (char *), and returns FALSE. */
gboolean lm_resolve_throw_unsatisfiable (LmSolver *solver, const LmResolution *resolution, const GPtrArray *reasons,
                                         GError **error);
