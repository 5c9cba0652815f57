/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The files of a machine: its copies of kernel and initrd, overlay, seed.
 * They are made below the machine's directory, which is there already. */
#include "ops/launch-request.h"
#include <gio/gio.h>

/** lm_disks_make: makes the files that @request and @plan ask for, and sets
 * @machine's disk. Files left by a failure are removed with the machine.
 * Blocks. Errors: those of machine/chain.h, machine/boot.h and image/seed.h. */
gboolean lm_disks_make (const char *state_dir, const LmLaunchRequest *request, const LmPlan *plan, LmMachine *machine,
                        GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_disks_sync: waits until all of it is on the disk. Errors: G_IO_ERROR. */
gboolean lm_disks_sync (const LmPlan *plan, const LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* lm_disks_make() in a thread of its own. */
typedef struct _LmDisksJob LmDisksJob;

/** lm_disks_begin: starts it; the arguments must outlive lm_disks_finish(), and
 * @machine->disk must not be used until then. */
LmDisksJob *lm_disks_begin (const char *state_dir, const LmLaunchRequest *request, const LmPlan *plan, LmMachine *machine,
                            GCancellable *cancellable);

/** lm_disks_finish: waits for the end, frees @job and gives its result. */
gboolean lm_disks_finish (LmDisksJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
