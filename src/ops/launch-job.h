/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the parts of a launch share: launch-meet.c looks at what is there,
 * launch-make.c makes what is not. For these and launch.c only. */
#include "cache/cache.h"
#include "ops/launch.h"
#include "virt/domain.h"

/* One launch on its way. Owned parts that are still here when it ends
 * without success are what has to be taken back. */
typedef struct
{
  const LmHost *host;
  const LmLaunchRequest *request;
  GCancellable *cancellable;
  LmVirt *virt;
  char **requested; /* normalized */
  LmPlan *plan;
  LmLock *store_lock;
  char *virt_type;
  char *osinfo;
  LmMachine *other; /* of the same name, to be replaced */
  gboolean other_ran;
  LmMachine *machine;
  LmVirtDomain *domain;
  LmLaunchResult *result;
  gboolean goes_on; /* it was started from a saved state */
} LmLaunchJob;

void lm_launch_job_clear (LmLaunchJob *job);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LmLaunchJob, lm_launch_job_clear)

/** lm_launch_job_plan: makes the plan, once. */
gboolean lm_launch_job_plan (LmLaunchJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_launch_job_start: starts the domain; that it runs already is success. */
gboolean lm_launch_job_start (LmLaunchJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_launch_job_start_failed: for when libvirt could not start the machine
 * because of @cause, which is taken over: a port that somebody took, or a
 * directory that QEMU cannot pass, is said in plain words. Returns FALSE. */
gboolean lm_launch_job_start_failed (LmLaunchJob *job, GError *cause, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_launch_meet: looks for what has the name already. *out_done: it is the
 * machine asked for, and as asked for. Else what has to make room for it, if
 * anything, is the job's other. Errors: LM_LAUNCH_ERROR_EXISTS, LM_VIRT_ERROR. */
gboolean lm_launch_meet (LmLaunchJob *job, gboolean *out_done, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_launch_make: makes the machine, from the plan to the start; a failure
 * takes back what was made. Errors: those of lm_launch(). */
gboolean lm_launch_make (LmLaunchJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
