/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Remembers that a guest was seen to be up, in the file "ready" of the machine's
 * directory, because the console log that showed it may be rotated away. Valid for
 * one run of the domain and, within it, until the console shows another boot. */
#include "machine/console.h"
#include "machine/machine.h"

/** lm_ready_load: gets how far the console of @machine was read in the run @run of
 * its domain (lm_virt_domain_run()); all zero if nothing is known about this run. */
void lm_ready_load (const LmMachine *machine, const char *run, LmConsolePosition *out_position);

/** lm_ready_save: stores @position for lm_ready_load(). Errors: G_IO_ERROR. */
gboolean lm_ready_save (const LmMachine *machine, const char *run, const LmConsolePosition *position,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_ready_rotate_log: to be called before @machine is started, so that the output
 * of an earlier run is not attributed to the new one: renames the log file as
 * virtlogd does (which removes it at the start if the template has append="off").
 * Sets *out_position to its end, to be saved for the new run; all zero if there was
 * no log. */
void lm_ready_rotate_log (const LmMachine *machine, LmConsolePosition *out_position);

/** lm_ready_check_log: to be called after the start: zeroes *position, as set by
 * lm_ready_rotate_log(), if the start removed the old log, because the new one may
 * have its inode number. */
void lm_ready_check_log (const LmMachine *machine, LmConsolePosition *position);
