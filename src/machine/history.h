/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Notes launches and starts of machines in lamina.db (cache/database.h). */
#include "machine/machine.h"

/** lm_history_note: notes that the layers, kernel and initrd of @machine are used
 * now and, unless @keep is FALSE, that it was launched, defined or started: @how is
 * "launch", "define", "start" or another word for it. Must be called only after that
 * succeeded. A failure must not fail the caller: it is only traced, or appended to
 * @warnings (char *; may be NULL) if the user should know. Waits up to five seconds
 * for other processes. */
void lm_history_note (const LmMachine *machine, const char *how, gboolean keep, GPtrArray *warnings);
