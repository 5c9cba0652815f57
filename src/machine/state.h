/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The state of a machine in its record. ops/recover.h describes which run writes
 * which state, and what the next run does about it. */
#include <glib.h>

typedef enum
{
  LM_MACHINE_STATE_CREATING, /* a run is creating it, or was killed doing so */
  LM_MACHINE_STATE_COMPLETE, /* it exists */
  LM_MACHINE_STATE_REPLACED, /* another machine is taking its name; it can be restored */
  LM_MACHINE_STATE_REMOVING, /* it is being removed, which cannot be undone */
} LmMachineState;

/** lm_machine_state_name: returns "creating", "complete", "replaced" or "removing". */
const char *lm_machine_state_name (LmMachineState state);

/** lm_machine_state_parse: gets the state called @name; FALSE if there is none. */
gboolean lm_machine_state_parse (const char *name, LmMachineState *out_state);

/** lm_machine_state_can_become: whether a machine can change from @from to @to, a different state. */
gboolean lm_machine_state_can_become (LmMachineState from, LmMachineState to);
