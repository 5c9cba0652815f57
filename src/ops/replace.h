/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* --replace: a machine gives its name to a new one, and nothing is lost unless the
 * new one is created successfully. Its domain is stopped and undefined, while its
 * record keeps the domain's XML and its files are kept; then it is either removed
 * or rolled back. If the run is killed, lm_recover() rolls back. */
#include "machine/machine.h"
#include "ops/host.h"
#include "virt/domain.h"

typedef enum
{
  LM_REPLACE_ERROR_LOSSY,   /* the machine has something that could not be restored */
  LM_REPLACE_ERROR_RENAMED, /* its domain has another name now */
} LmReplaceError;

#define LM_REPLACE_ERROR lm_replace_error_quark ()
GQuark lm_replace_error_quark (void);

/** lm_replace_check: whether @machine can be replaced so that a failure loses
 * nothing: nobody else uses its files, and its domain has its name, no saved state,
 * snapshot or checkpoint (which are lost when it is undefined), no UEFI variables
 * stored under its name, and no TPM whose state libvirt would not keep. Changes
 * nothing. Must be called again directly before lm_replace_begin() if time has
 * passed. Blocks while qemu-img looks at disks of other domains, which @cancellable
 * ends. Errors: LM_REPLACE_ERROR, LM_USAGE_ERROR, LM_MACHINE_DOMAIN_ERROR,
 * LM_VIRT_ERROR, G_IO_ERROR_CANCELLED. */
gboolean lm_replace_check (const LmHost *host, LmVirt *virt, const LmMachine *machine, GCancellable *cancellable,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_replace_begin: stops and undefines @machine's domain, after recording how to
 * restore it if the machine with the UUID @by is not created successfully. Errors:
 * LM_MACHINE_DOMAIN_ERROR, LM_VIRT_ERROR, G_IO_ERROR. */
gboolean lm_replace_begin (LmVirt *virt, LmMachine *machine, const char *by, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_replace_roll_back: defines the domain again, and starts it if it was running;
 * a start that fails only causes a warning. A transient domain is only started.
 * Does nothing if @machine is not being replaced. Errors: as for
 * lm_replace_begin(). */
gboolean lm_replace_roll_back (const LmHost *host, LmVirt *virt, LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_replace_remove_tpm_state: removes what libvirt still keeps for @machine, whose domain
 * lm_replace_begin() undefined: the state of its TPM. For this the domain is
 * defined for a moment, with its UUID as its name; only in the state "removing".
 * Errors: LM_VIRT_ERROR, LM_XML_ERROR, G_IO_ERROR (another state). */
gboolean lm_replace_remove_tpm_state (LmVirt *virt, const LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;
