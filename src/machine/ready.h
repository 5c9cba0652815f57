/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* That a machine's guest was seen to be up, kept in the file "ready" of its
 * directory: the console log that showed it may be rotated away. It holds for
 * one run of the domain, and within that until the console shows another boot. */
#include "machine/console.h"
#include "machine/machine.h"

/** lm_ready_load: how far the console of @machine was read in the @run of its
 * domain (lm_virt_domain_run()); all zero if nothing is known of this run. */
void lm_ready_load (const LmMachine *machine, const char *run, LmConsolePosition *out_position);

/** lm_ready_save: the other way. Errors: G_IO_ERROR. */
gboolean lm_ready_save (const LmMachine *machine, const char *run, const LmConsolePosition *position,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_ready_rotate_log: to be called before @machine is started, so that what an
 * earlier run said is not taken for this one's: the log's file is renamed as
 * virtlogd rotates (which removes it at the start where the template has
 * append="off"). *out_position: its end, to be saved for the new run; all zero: there was none. */
void lm_ready_rotate_log (const LmMachine *machine, LmConsolePosition *out_position);

/** lm_ready_check_log: to be called after the start: makes *position, of
 * lm_ready_rotate_log(), all zero if the start removed the old log: the new one
 * may have its inode number. */
void lm_ready_check_log (const LmMachine *machine, LmConsolePosition *position);
