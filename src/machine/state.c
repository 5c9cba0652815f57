/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/state.h"

#include <string.h>

static const char *const names[] = { "creating", "complete", "replaced", "removing" };

const char *
lm_machine_state_name (LmMachineState state)
{
  return names[state];
}

gboolean
lm_machine_state_parse (const char *name, LmMachineState *out_state)
{
  for (gsize i = 0; name != NULL && i < G_N_ELEMENTS (names); i++)
    if (strcmp (name, names[i]) == 0)
      {
        *out_state = (LmMachineState) i;
        return TRUE;
      }
  return FALSE;
}

gboolean
lm_machine_state_can_become (LmMachineState from, LmMachineState to)
{
  switch (to)
    {
    case LM_MACHINE_STATE_COMPLETE:
      return from == LM_MACHINE_STATE_CREATING || from == LM_MACHINE_STATE_REPLACED;
    case LM_MACHINE_STATE_REPLACED:
      return from == LM_MACHINE_STATE_COMPLETE;
    case LM_MACHINE_STATE_REMOVING:
      return from != LM_MACHINE_STATE_REMOVING;
    default:
      return FALSE;
    }
}
