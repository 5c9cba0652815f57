/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The domain of a machine. A record refers to its domain only by UUID, and a record
 * is not proof: a domain is changed only if its own metadata refers to the machine. */
#include "machine/machine.h"
#include "ops/host.h"
#include "virt/domain.h"

typedef enum
{
  LM_MACHINE_DOMAIN_ERROR_FOREIGN, /* the domain with that UUID was not created for this machine */
  LM_MACHINE_DOMAIN_ERROR_SEVERAL, /* two machines with the same name have a domain each */
} LmMachineDomainError;

#define LM_MACHINE_DOMAIN_ERROR lm_machine_domain_error_quark ()
GQuark lm_machine_domain_error_quark (void);

/** lm_machine_domain_check: whether @domain's metadata says that it belongs to
 * @machine, that is, that its disk is @machine's overlay. Errors:
 * LM_MACHINE_DOMAIN_ERROR, LM_VIRT_ERROR. */
gboolean lm_machine_domain_check (const LmMachine *machine, LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_domain_find: gets @machine's domain, after lm_machine_domain_check();
 * *out_domain is NULL if there is none. Errors: as there. */
gboolean lm_machine_domain_find (LmVirt *virt, const LmMachine *machine, LmVirtDomain **out_domain,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_domain_is_active: gets whether @domain is running or paused; FALSE if
 * it no longer exists. Errors: LM_VIRT_ERROR. */
gboolean lm_machine_domain_is_active (LmVirtDomain *domain, gboolean *out_active, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_domain_has_run: gets whether the guest of @machine has run: its
 * domain is active, or its disk was written to. *out_domain is as for
 * lm_machine_domain_find(). Errors: as there, and G_IO_ERROR. */
gboolean lm_machine_domain_has_run (LmVirt *virt, const LmMachine *machine, LmVirtDomain **out_domain, gboolean *out_ran,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_domain_start: starts @domain, which is @machine's; succeeds if it is
 * running already. *out_resumed is whether it resumed from a saved state. Rotates
 * the console log, so that a later wait considers only this boot. If a port is in
 * use, the error says so plainly. Errors: LM_VIRT_ERROR, LM_PORT_ERROR. */
gboolean lm_machine_domain_start (const LmHost *host, LmVirt *virt, const LmMachine *machine, LmVirtDomain *domain,
                                  gboolean *out_resumed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_domain_throw_start: sets @error to why libvirt could not start
 * @machine, as lm_machine_domain_start() does. @cause is libvirt's error; takes
 * ownership of it. Returns FALSE. */
gboolean lm_machine_domain_throw_start (const LmHost *host, LmVirt *virt, const LmMachine *machine, GError *cause,
                                        GError **error);

/** lm_machine_domain_remove: stops and undefines @domain; @keep as in
 * lm_virt_domain_undefine(). Succeeds if that was done already. Errors: LM_VIRT_ERROR. */
gboolean lm_machine_domain_remove (LmVirtDomain *domain, gboolean keep, GError **error) G_GNUC_WARN_UNUSED_RESULT;
