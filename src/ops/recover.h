/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The states of a machine's record (machine/state.h): who writes them, and what the next
 * run makes of what a killed one left.
 *
 *   from      to        written by                          when
 *   (none)    creating  lm_creation_new()                   before anything else of it is made
 *   creating  complete  lm_creation_commit()                it has started, all of it is on the disk
 *                       lm_recover()                        see below
 *   complete  replaced  lm_replace_begin()                  before its domain is stopped for another machine
 *   replaced  complete  lm_replace_roll_back()              its domain is back
 *                       lm_recover(), and lm_recover_remove_superseded()  likewise, by whomever
 *   any       removing  lm_remove_domain(), lm_remove_machine()  before its domain is stopped
 *
 * A guest has run if its domain is active or its disk was written to. lm_recover() finds:
 *
 *   creating  it has not run                    it is removed
 *             it has run, has a domain          it is complete: it came to be
 *             it has run, has no domain         it is complete, unless another one of the name is by
 *                                               then: it stays, with a warning
 *   complete                                    nothing to do
 *   removing                                    it is removed
 *   replaced  the one that replaced it came     its domain is there: it is complete
 *             to be (it is complete or, since,  it has no domain: it is superseded, and is returned
 *             replaced itself)
 *             that one did not, or is gone      it is put back, and is complete; but it stays, with a
 *                                               warning, if a third one has the name by now
 *
 * "creating" and "replaced" go to "complete" only if that can be saved. To write "removing"
 * may fail (a full disk must not keep a machine from going): then what is found is one of
 * the other lines, which loses nothing; but one that has run is not rolled back then. */
#include "machine/machine.h"
#include "ops/host.h"
#include "virt/connect.h"

/** lm_recover: brings the machines called @name on @virt's connection into order; the
 * caller holds the name's lock. A removal that was begun is finished; nothing else is
 * lost by it. Returns the superseded ones (LmMachine): the caller gives them to
 * lm_recover_remove_superseded() once its own work is done, and keeps them if it
 * refuses. Errors: LM_VIRT_ERROR, LM_MACHINE_DOMAIN_ERROR, LM_MACHINE_ERROR_CORRUPT (of
 * the one that replaced another), LM_USAGE_ERROR, G_IO_ERROR. */
GPtrArray *lm_recover (const LmHost *host, LmVirt *virt, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_recover_remove_superseded: removes @superseded (LmMachine, in state "replaced"),
 * and empties it. One whose domain is back meanwhile is not removed, but complete again.
 * What cannot be removed is only warned of: the next run does it. */
void lm_recover_remove_superseded (const LmHost *host, LmVirt *virt, GPtrArray *superseded);
