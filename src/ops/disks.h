/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The files of a machine: its copies of kernel and initrd, the overlay, the seed.
 * They are created in the machine's directory, which exists already. */
#include "ops/host.h"
#include "ops/launch-request.h"
#include <gio/gio.h>

typedef struct _LmDisksJob LmDisksJob;

/** lm_disks_begin: creates the files that @request and @plan require, in separate
 * threads, and sets the size of @machine's disk. The arguments must outlive
 * lm_disks_finish(), and @machine->disk must not be used until then. Files that
 * remain after a failure are removed with the machine. */
LmDisksJob *lm_disks_begin (const LmHost *host, const LmLaunchRequest *request, const LmPlan *plan, LmMachine *machine,
                            GCancellable *cancellable);

/** lm_disks_begin_sync: syncs the copies of kernel and initrd to disk in a separate
 * thread; overlay and seed are durable once created. The copies are opened before
 * it returns, so the domain may start in the meantime. The arguments must outlive
 * lm_disks_finish(). Returns NULL on error (G_IO_ERROR). */
LmDisksJob *lm_disks_begin_sync (const LmPlan *plan, LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_disks_finish: waits until @job has ended, frees it and returns its result;
 * TRUE if @job is NULL. Blocks. Errors: those of machine/chain.h, machine/boot.h
 * and image/seed.h. */
gboolean lm_disks_finish (LmDisksJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
