/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The domain of a machine. A record names it by UUID only, and what a record says
 * is not proof: a domain is touched only if its own metadata name the machine. */
#include "machine/machine.h"
#include "ops/host.h"
#include "virt/domain.h"

typedef enum
{
  LM_MACHINE_DOMAIN_ERROR_FOREIGN, /* the domain of that UUID was not made as this machine */
  LM_MACHINE_DOMAIN_ERROR_SEVERAL, /* two machines of one name have a domain each */
} LmMachineDomainError;

#define LM_MACHINE_DOMAIN_ERROR lm_machine_domain_error_quark ()
GQuark lm_machine_domain_error_quark (void);

/** lm_machine_domain_check: whether @domain's metadata say that it is @machine's:
 * that its disk is @machine's overlay. Errors: LM_MACHINE_DOMAIN_ERROR, LM_VIRT_ERROR. */
gboolean lm_machine_domain_check (const LmMachine *machine, LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_domain_find: *out_domain is @machine's domain, checked as above; NULL
 * if there is none. Errors: as above. */
gboolean lm_machine_domain_find (LmVirt *virt, const LmMachine *machine, LmVirtDomain **out_domain,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_domain_is_active: whether @domain runs or is paused; one that is gone
 * is not. Errors: LM_VIRT_ERROR. */
gboolean lm_machine_domain_is_active (LmVirtDomain *domain, gboolean *out_active, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_domain_has_run: whether the guest of @machine has run: its domain is active
 * or its disk was written to. *out_domain as in lm_machine_domain_find(). Errors:
 * likewise, and G_IO_ERROR. */
gboolean lm_machine_domain_has_run (LmVirt *virt, const LmMachine *machine, LmVirtDomain **out_domain, gboolean *out_ran,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_domain_start: starts @domain, @machine's; that it runs already is
 * success. *out_resumed: it went on from a saved state. Rotates the console log, so
 * that what is waited for there is of this boot. A port that somebody took is said
 * in plain words. Errors: LM_VIRT_ERROR, LM_PORT_ERROR. */
gboolean lm_machine_domain_start (const LmHost *host, LmVirt *virt, const LmMachine *machine, LmVirtDomain *domain,
                                  gboolean *out_resumed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_domain_throw_start: sets @error to why libvirt could not start
 * @machine, as above; @cause is libvirt's error, which is taken over. Returns FALSE. */
gboolean lm_machine_domain_throw_start (const LmHost *host, LmVirt *virt, const LmMachine *machine, GError *cause,
                                        GError **error);

/** lm_machine_domain_remove: stops and undefines @domain, with its NVRAM and
 * the state of its TPM unless @keep_firmware; what is done already is success. Errors: LM_VIRT_ERROR. */
gboolean lm_machine_domain_remove (LmVirtDomain *domain, gboolean keep_firmware, GError **error) G_GNUC_WARN_UNUSED_RESULT;
