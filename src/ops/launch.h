/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "launch": creates a running machine from selections. Recovers what a
 * killed run left (ops/recover.h), finds what has the name (ops/existing.h), plans
 * (ops/prepare.h), creates (ops/creation.h) and starts (ops/machine-domain.h). Each
 * step first checks whether its result is there already, so repeating a launch has
 * no effect. A failure rolls back what this run created, except cached layers. */
#include "machine/machine.h"
#include "ops/host.h"
#include "ops/launch-request.h"
#include "ops/prepare.h"
#include "virt/domain.h"

typedef struct
{
  LmMachine *machine;
  LmVirtDomain *domain;
  gboolean existed; /* it existed before this run */
  gboolean started; /* this run started it */
  gboolean resumed; /* it resumed from a saved state */
  gboolean ready;   /* the guest is up according to its console; set only after waiting */
  double ready_seconds;
  char **addresses; /* of the guest after waiting; otherwise NULL */
  LmPrepareResult prepared;
} LmLaunchResult;

typedef enum
{
  LM_LAUNCH_ERROR_EXISTS,    /* something else has the name, or it cannot be known whether it does */
  LM_LAUNCH_ERROR_DIFFERENT, /* a machine with other selections has the name */
  LM_LAUNCH_ERROR_REQUEST,   /* the request is inconsistent, or inconsistent with the layers */
} LmLaunchError;

#define LM_LAUNCH_ERROR lm_launch_error_quark ()
GQuark lm_launch_error_quark (void);

/** lm_launch_result_free: frees @result; NULL is ignored. */
void lm_launch_result_free (LmLaunchResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLaunchResult, lm_launch_result_free)

/** lm_launch: launches the machine on the host of @virt. Blocks on network, disk,
 * libvirt and, if requested, until the guest is up. Errors: LM_LAUNCH_ERROR, LM_READINESS_ERROR and
 * those of all modules involved. */
LmLaunchResult *lm_launch (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, GCancellable *cancellable,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
