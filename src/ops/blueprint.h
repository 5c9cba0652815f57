/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a machine will be, from a request and a plan: its record and its domain's
 * XML. Creates nothing. */
#include "machine/machine.h"
#include "ops/host.h"
#include "ops/launch-request.h"

/** lm_blueprint_machine: returns the record, not written yet, of a machine with a
 * new UUID for @request on the libvirt connection @uri. @requested are the
 * selections of @request, normalized. */
LmMachine *lm_blueprint_machine (const LmHost *host, const char *uri, const LmLaunchRequest *request, char **requested,
                                 const LmPlan *plan);

/** lm_blueprint_xml: returns the XML of the domain of @machine, newly allocated.
 * @virt tells whether KVM is offered; it may be NULL if @request has a virt_type.
 * Errors: those of lm_domain_xml(), LM_OSINFO_ERROR. */
char *lm_blueprint_xml (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const LmPlan *plan,
                        const LmMachine *machine, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
