/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a machine's record says of where the machine is in its life. Which run writes
 * which state, and what the next one does on finding it, is in ops/recover.h. */
#include <glib.h>

typedef enum
{
  LM_MACHINE_STATE_CREATING, /* a run makes it, or was killed while it did */
  LM_MACHINE_STATE_COMPLETE, /* it is there */
  LM_MACHINE_STATE_REPLACED, /* it gave its name to another one, and can be put back */
  LM_MACHINE_STATE_REMOVING, /* it goes; nothing else becomes of it */
} LmMachineState;

/** lm_machine_state_name: "creating", "complete", "replaced" or "removing". */
const char *lm_machine_state_name (LmMachineState state);

/** lm_machine_state_parse: the state of that @name; FALSE: there is none. */
gboolean lm_machine_state_parse (const char *name, LmMachineState *out_state);

/** lm_machine_state_can_become: whether a machine goes from @from to @to, which differ. */
gboolean lm_machine_state_can_become (LmMachineState from, LmMachineState to);
