/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* launch: selections become a running machine. Recovers what a killed run left
 * (ops/recover.h), finds what has the name (ops/existing.h), plans (ops/prepare.h),
 * creates (ops/creation.h) and starts (ops/machine-domain.h). Each step checks first
 * what it is to bring about, so running it again is a no-op; a failure rolls back what
 * this run made, but never a cached layer. */
#include "machine/machine.h"
#include "ops/host.h"
#include "ops/launch-request.h"
#include "ops/prepare.h"
#include "virt/domain.h"

typedef struct
{
  LmMachine *machine;
  LmVirtDomain *domain;
  gboolean existed; /* it was there before this run */
  gboolean started; /* this run started it */
  gboolean resumed; /* by going on from a saved state */
  gboolean ready;   /* the console said so; only when waited for */
  double ready_seconds;
  char **addresses; /* of the guest, when waited for; else NULL */
  LmPrepareResult prepared;
} LmLaunchResult;

typedef enum
{
  LM_LAUNCH_ERROR_EXISTS,    /* the name is taken by another machine */
  LM_LAUNCH_ERROR_REQUEST,   /* the request contradicts itself or the layers */
  LM_LAUNCH_ERROR_NOT_READY, /* not up in time, or it stopped before; what there is stays */
} LmLaunchError;

#define LM_LAUNCH_ERROR lm_launch_error_quark ()
GQuark lm_launch_error_quark (void);

void lm_launch_result_free (LmLaunchResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLaunchResult, lm_launch_result_free)

/** lm_launch: makes it so on @virt's host. Blocks: network, disk, libvirt and, if asked for,
 * the guest's start. Errors: LM_LAUNCH_ERROR and those of every module it joins. */
LmLaunchResult *lm_launch (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, GCancellable *cancellable,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
