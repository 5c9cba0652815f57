/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* libsolv over a small set of candidates. For resolve.c only. */
#include "plan/resolve.h"

typedef struct _LmSolver LmSolver;

/** lm_solver_new: a pool of @candidates (LmCandidate), which must outlive it,
 * as must @groups (LmGroup). */
LmSolver *lm_solver_new (const GPtrArray *candidates, const GPtrArray *groups);
void lm_solver_free (LmSolver *solver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSolver, lm_solver_free)

/* To try whether less would work. */
typedef struct
{
  int without;     /* leave this selection out; -1: none */
  int any_version; /* of this selection; -1: none */
} LmSolverRelaxation;

/** lm_solver_solve: the candidates that meet @selections (LmSelection), best
 * versions first tried; NULL when they cannot be met. Then @reasons (char *),
 * which may be NULL, is given why, a clause each. */
GPtrArray *lm_solver_solve (LmSolver *solver, const GPtrArray *selections, LmSolverRelaxation relaxation,
                            GPtrArray *reasons);
