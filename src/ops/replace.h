/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* --replace: a machine gives its name to a new one, and loses nothing unless that
 * one came to be. Its domain is stopped and undefined, the domain's XML kept in its
 * record, its files stay; then it is removed, or rolled back. What a killed run left
 * lm_recover() rolls back. */
#include "machine/machine.h"
#include "ops/host.h"
#include "virt/domain.h"

typedef enum
{
  LM_REPLACE_ERROR_LOSSY, /* the machine has what could not be restored */
} LmReplaceError;

#define LM_REPLACE_ERROR lm_replace_error_quark ()
GQuark lm_replace_error_quark (void);

/** lm_replace_check: whether @machine can be replaced so that a failure loses
 * nothing: nobody uses its files, and its domain has no saved state, snapshot or
 * checkpoint, which go when it is undefined, no UEFI variables under its name, and
 * no TPM whose state libvirt would not keep. Changes nothing. Errors:
 * LM_REPLACE_ERROR, LM_USAGE_ERROR, LM_MACHINE_DOMAIN_ERROR, LM_VIRT_ERROR. */
gboolean lm_replace_check (const LmHost *host, LmVirt *virt, const LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_replace_begin: stops and undefines @machine's domain, having noted in its
 * record how to put it back if the machine of the UUID @by does not come to be. Errors: LM_MACHINE_DOMAIN_ERROR, LM_VIRT_ERROR, G_IO_ERROR. */
gboolean lm_replace_begin (LmVirt *virt, LmMachine *machine, const char *by, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_replace_roll_back: defines the domain again, and starts it if it ran; a start
 * that fails is only warned of. A transient domain can only be started. One that is
 * not being replaced is left alone. Errors: as above. */
gboolean lm_replace_roll_back (const LmHost *host, LmVirt *virt, LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_replace_forget: removes what libvirt still keeps for @machine, whose domain
 * lm_replace_begin() undefined: the state of its TPM. To that end the domain is
 * defined for a moment, under its UUID as its name. Errors: LM_VIRT_ERROR, LM_XML_ERROR. */
gboolean lm_replace_forget (LmVirt *virt, const LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;
