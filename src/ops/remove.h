/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* rm: a machine goes, its layers stay. */
#include "ops/host.h"
#include "machine/machine.h"
#include "virt/domain.h"

/** lm_remove: stops the machine @name, undefines its domain, removes overlay,
 * seed and record. A machine whose domain is gone already, or that a killed
 * run left half-made, is removed likewise. A domain that lamina did not make
 * is left alone. Errors: LM_MACHINE_ERROR_NOT_FOUND, LM_VIRT_ERROR, G_IO_ERROR. */
gboolean lm_remove (const LmHost *host, const char *name, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_remove_machine: the same for @machine, of a caller that holds
 * its lock and the connection it lives on; what is gone already is success. */
gboolean lm_remove_machine (LmVirt *virt, LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_remove_domain: stops and undefines @domain, with its NVRAM unless
 * @keep_nvram; what is done already is success. Errors: LM_VIRT_ERROR. */
gboolean lm_remove_domain (LmVirtDomain *domain, gboolean keep_nvram, GError **error) G_GNUC_WARN_UNUSED_RESULT;
