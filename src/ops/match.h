/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Whether an existing machine is the requested one. Pure. */
#include "catalog/selection.h"
#include "domain/spec.h"
#include "plan/plan.h"

typedef enum
{
  LM_MATCH_NO,
  LM_MATCH_UNKNOWN, /* it has what was requested, and another layer, which may be required by that */
  LM_MATCH_YES,
} LmMatch;

/** lm_match_selections: compares the selections @requested with a machine that has
 * @layers (LmDomainLayer) and was created from the selections @resolved. A
 * selection without a version or group matches the machine's layer of that name;
 * what the catalogs contain now does not matter. The machine matches if it has
 * every requested layer, and every selection from which it was created is
 * requested, or required by those. Only @plan, which is for @requested, tells what
 * is required; if it is NULL, the result may be LM_MATCH_UNKNOWN. */
LmMatch lm_match_selections (char **requested, char **resolved, const GPtrArray *layers, const LmPlan *plan);
