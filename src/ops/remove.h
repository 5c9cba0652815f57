/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* rm: a machine goes, its layers stay. Nothing is removed that lamina did not
 * make for this machine, or that somebody else uses (ops/usage.h). */
#include "ops/host.h"
#include "machine/machine.h"
#include "virt/connect.h"

/** lm_remove: stops the machine @name, undefines its domain, removes overlay,
 * seed and record. A machine whose domain is gone already, or that a killed
 * run left half-made, is removed likewise. A domain that lamina did not make
 * is left alone. All machines of the name go, unless two of them have a domain
 * (LM_MACHINE_DOMAIN_ERROR_SEVERAL). A refusal comes before anything is stopped or removed. Errors:
 * LM_MACHINE_ERROR_NOT_FOUND, LM_USAGE_ERROR, LM_MACHINE_DOMAIN_ERROR,
 * LM_VIRT_ERROR, G_IO_ERROR. */
gboolean lm_remove (const LmHost *host, LmVirt *virt, const char *name, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_remove_domain: notes that @machine goes, which was never complete, and removes its
 * domain: the first half of lm_remove_machine(), after which one that it was to replace
 * can be put back. If its guest has run and that cannot be noted, nothing is done: the
 * next run could not tell that it was rolled back. Errors: as above. */
gboolean lm_remove_domain (LmVirt *virt, LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_remove_machine: the same for @machine, of a caller that holds its lock
 * and the connection it lives on; what is gone already is success. */
gboolean lm_remove_machine (const LmHost *host, LmVirt *virt, LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;
