/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The files of a machine: its copies of kernel and initrd, overlay, seed.
 * They are made below the machine's directory, which is there already. */
#include "ops/host.h"
#include "ops/launch-request.h"
#include <gio/gio.h>

typedef struct _LmDisksJob LmDisksJob;

/** lm_disks_begin: makes the files that @request and @plan ask for, in threads of
 * their own, and sets @machine's disk. The arguments must outlive
 * lm_disks_finish(); @machine->disk must not be used until then. Files left by a
 * failure are removed with the machine. */
LmDisksJob *lm_disks_begin (const LmHost *host, const LmLaunchRequest *request, const LmPlan *plan, LmMachine *machine,
                            GCancellable *cancellable);

/** lm_disks_begin_sync: writes the copies of kernel and initrd through to the disk,
 * in a thread of its own (the overlay and the seed are on it once made). The
 * arguments must outlive lm_disks_finish(). */
LmDisksJob *lm_disks_begin_sync (const LmPlan *plan, LmMachine *machine);

/** lm_disks_finish: waits for the end of @job (NULL: does nothing), frees it and gives its result. Blocks.
 * Errors: those of machine/chain.h, machine/boot.h and image/seed.h. */
gboolean lm_disks_finish (LmDisksJob *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
