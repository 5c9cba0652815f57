/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Whether a machine is the one that is asked for. Pure. */
#include "catalog/selection.h"
#include "domain/spec.h"
#include "plan/plan.h"

typedef enum
{
  LM_MATCH_NO,
  LM_MATCH_UNKNOWN, /* it has what is asked for, and a layer that may be required by it */
  LM_MATCH_YES,
} LmMatch;

/** lm_match_selections: compares the selections @requested with a machine of @layers
 * (LmDomainLayer), made from the selections @resolved. A selection means the layer of its
 * name that the machine has, unless it says another group or version; what the catalogs
 * have now does not matter. The machine matches if it has every layer that is asked for and
 * every selection that it was made from is asked for, or required: only @plan, of
 * @requested, says that. Without it (NULL) the result may be LM_MATCH_UNKNOWN. */
LmMatch lm_match_selections (char **requested, char **resolved, const GPtrArray *layers, const LmPlan *plan);
