/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* launch: selections become a running machine. Joins the stages: resolve and
 * plan, fetch, chain and overlay, seed, domain XML, libvirt. Each step states
 * its post-condition and checks it first, so running it again is a no-op; a
 * failure takes back what this run made, but never a cached layer. */
#include "ops/host.h"
#include "machine/machine.h"
#include "ops/launch-request.h"
#include "ops/prepare.h"

typedef struct
{
  LmMachine *machine;
  gboolean existed; /* it was there before this run */
  gboolean started; /* this run started it */
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

/** lm_launch: makes it so. Blocks: network, disk, libvirt and, if asked for,
 * the guest's start. Errors: LM_LAUNCH_ERROR and those of every module it joins. */
LmLaunchResult *lm_launch (const LmHost *host, const LmLaunchRequest *request, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
