/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Runs libsolv on a small set of candidates. For resolve.c only. */
#include "plan/resolve.h"

typedef struct _LmSolver LmSolver;

/** lm_solver_new: returns a solver with a pool of @candidates (LmCandidate), which
 * must outlive it, as must @groups (LmGroup); never NULL. */
LmSolver *lm_solver_new (const GPtrArray *candidates, const GPtrArray *groups);
/** lm_solver_free: frees @solver; NULL is ignored. */
void lm_solver_free (LmSolver *solver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSolver, lm_solver_free)

/* Drops a part of the request, to find out whether the rest can be met. */
typedef struct
{
  int without;     /* index of a selection to leave out; -1 for none */
  int any_version; /* index of a selection whose version to ignore; -1 for none */
} LmSolverRelaxation;

/** lm_solver_solve: returns the candidates that meet @selections (LmSelection),
 * preferring the best versions; NULL if they cannot be met. In that case the
 * reasons (char *, a clause each) are appended to @reasons, which may be NULL. */
GPtrArray *lm_solver_solve (LmSolver *solver, const GPtrArray *selections, LmSolverRelaxation relaxation,
                            GPtrArray *reasons);
