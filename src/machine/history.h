/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Notes launches and starts of machines in lamina.db (cache/database.h). */
#include "machine/machine.h"

/** lm_history_note: notes that the layers, kernel and initrd of @machine are used
 * now and, unless @keep is FALSE, that it was launched, defined or started: @how is
 * "launch", "define", "start" or another word for it. Must be called only after that
 * succeeded; @began is the time before it, in seconds since 1970. A failure must not
 * fail the caller: it is only traced, or appended to @warnings (char *) if the user
 * should know. Waits up to five seconds for other processes. */
void lm_history_note (const LmMachine *machine, const char *how, gint64 began, gboolean keep, GPtrArray *warnings);

/** lm_history_note_hook: likewise for a start at @time, in seconds since 1970, that
 * libvirt's hook tells of. Unless libvirtd belongs to a user, it is not known who asked
 * for it. A damaged database is left to somebody who can tell the user. */
void lm_history_note_hook (const LmMachine *machine, gint64 time, gboolean keep);
