/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Waits until a machine is up, according to its console, or stopped. */
#include "machine/machine.h"
#include "ops/host.h"
#include "virt/domain.h"

typedef enum
{
  LM_READINESS_ERROR_UNKNOWN, /* the record does not say how the console shows that the guest is up */
  LM_READINESS_ERROR_NOT_YET, /* not in time, or it cannot become so; the machine is left as it is */
} LmReadinessError;

#define LM_READINESS_ERROR lm_readiness_error_quark ()
GQuark lm_readiness_error_quark (void);

typedef struct
{
  guint seconds;    /* time limit; 0 for none */
  gboolean resumed; /* the domain has just resumed from a saved state */
} LmReadinessLimits;

/** lm_readiness_wait_ready: waits until the guest of @machine is up in the current run of @domain, which
 * is remembered, see machine/ready.h. *out_addresses is set to what is known of its addresses. A
 * cancellation ends the wait. Errors: LM_READINESS_ERROR, LM_VIRT_ERROR, G_IO_ERROR. */
gboolean lm_readiness_wait_ready (const LmHost *host, const LmMachine *machine, LmVirtDomain *domain, const LmReadinessLimits *limits,
                                  char ***out_addresses, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_readiness_wait_stopped: waits until @domain is not active: shut off, crashed, saved or gone. A cancellation ends
 * the wait. Errors: LM_READINESS_ERROR_NOT_YET, LM_VIRT_ERROR, G_IO_ERROR. */
gboolean lm_readiness_wait_stopped (const LmHost *host, const LmMachine *machine, LmVirtDomain *domain, const LmReadinessLimits *limits,
                                    GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
