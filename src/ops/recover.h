/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The states of a machine's record (machine/state.h): who writes them, and what the
 * next run does with what a killed run left.
 *
 *   from      to        written by                          when
 *   (none)    creating  lm_creation_new()                   before anything else of it is created
 *   creating  complete  lm_creation_commit()                when it is started and durable
 *                       lm_recover()                        see below
 *   complete  replaced  lm_replace_begin()                  before its domain is stopped for another machine
 *   replaced  complete  lm_replace_roll_back()              when its domain is restored
 *                       lm_recover(), lm_recover_remove_superseded()  when its domain was restored by somebody
 *   any       removing  lm_remove_domain(), lm_remove_machine()  before its domain is stopped
 *
 * A guest has run if its domain is active or its disk was written to. What
 * lm_recover() does with a machine in the state
 *
 *   creating  if it has not run                 removes it
 *             if it has run and has a domain    makes it complete
 *             if it has run and has no domain   makes it complete; but if there is a complete one of that
 *                                               name, keeps it as it is, with a warning
 *   complete                                    nothing
 *   removing                                    removes it
 *   replaced  if its successor is complete, or  makes it complete if it has a domain; otherwise it is
 *             was replaced in turn              superseded and is returned
 *             if its successor never became     restores it; but if a third machine has the name, keeps
 *             complete or no longer exists      it as it is, with a warning
 *
 * "creating" and "replaced" change to "complete" only if that can be saved. Saving
 * "removing" may fail, because a full disk must not prevent a removal; then the
 * next run handles the previous state, which loses nothing. But a machine that has
 * run is not rolled back in that case. */
#include "machine/machine.h"
#include "ops/host.h"
#include "virt/connect.h"

/** lm_recover: handles the machines called @name on the connection @virt as
 * described above; the caller holds the lock of the name. Except for finishing
 * removals, nothing is lost. Returns the superseded machines (LmMachine), which the
 * caller passes to lm_recover_remove_superseded() once its own work is done, and
 * keeps if that is refused. Errors: LM_VIRT_ERROR, LM_MACHINE_DOMAIN_ERROR,
 * LM_MACHINE_ERROR_CORRUPT (about the successor of a machine), LM_USAGE_ERROR,
 * G_IO_ERROR. */
GPtrArray *lm_recover (const LmHost *host, LmVirt *virt, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_recover_remove_superseded: removes the machines in @superseded (LmMachine, in
 * the state "replaced") and empties the array. A machine whose domain was restored
 * in the meantime is not removed but becomes complete. A failure to remove only
 * causes a warning; the next run does it. */
void lm_recover_remove_superseded (const LmHost *host, LmVirt *virt, GPtrArray *superseded);
