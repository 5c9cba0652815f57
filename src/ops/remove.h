/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "rm": removes a machine, but not its layers. Nothing is removed that
 * lamina did not create for this machine, or that somebody else uses (ops/usage.h). */
#include "ops/host.h"
#include "machine/machine.h"
#include "virt/connect.h"

/** lm_remove: stops the machine @name, undefines its domain, and removes overlay,
 * seed and record. This includes a machine whose domain no longer exists, or that a
 * killed run left incomplete. A domain that lamina did not create is not changed.
 * All machines of that name are removed, unless two of them have a domain
 * (LM_MACHINE_DOMAIN_ERROR_SEVERAL). A refusal comes before anything is stopped or
 * removed. Errors: LM_MACHINE_ERROR_NOT_FOUND, LM_USAGE_ERROR,
 * LM_MACHINE_DOMAIN_ERROR, LM_VIRT_ERROR, G_IO_ERROR. */
gboolean lm_remove (const LmHost *host, LmVirt *virt, const char *name, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_remove_domain: the first half of lm_remove_machine(), for a @machine that was
 * never complete: records that it is being removed and removes its domain, after
 * which a machine that it was to replace can be restored. If its guest has run and
 * that cannot be recorded, nothing is done, because the next run could not tell
 * that it was rolled back. Errors: as for lm_remove(). */
gboolean lm_remove_domain (LmVirt *virt, LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_remove_machine: likewise for @machine, for a caller that holds the lock of
 * its name and its connection; succeeds if it is removed already. @cancellable only
 * applies to the check whether somebody uses its files. */
gboolean lm_remove_machine (const LmHost *host, LmVirt *virt, LmMachine *machine, GCancellable *cancellable,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
