/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A new machine, from a plan to its domain. Its record says "complete" only once it
 * was committed; until then it can be rolled back without loss, by whoever makes it
 * or, after a kill, by lm_recover(). */
#include "ops/disks.h"
#include "ops/existing.h"
#include "ops/launch-request.h"
#include "ops/prepare.h"

typedef struct
{
  LmMachine *machine;
  LmVirtDomain *domain;
  LmMachine *replaced; /* NULL: none; what it takes the name of */
  gboolean started;    /* a transient domain starts with its making */
  LmDisksJob *sync;    /* goes on while the domain starts */
  LmPrepareResult prepared;
} LmCreation;

void lm_creation_free (LmCreation *creation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCreation, lm_creation_free)

/** lm_creation_new: checks @request, pulls what @plan lacks, makes disks, record and
 * domain. @requested: its selections, normalized. @replaced: the machine that it
 * takes the name of, NULL for none; taken over; @replaced_active: that one runs. @plan
 * must outlive the creation. A failure rolls back. Blocks: network, disk, libvirt. Errors: those of lm_launch(). */
LmCreation *lm_creation_new (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, char **requested,
                             const LmPlan *plan, LmMachine *replaced, gboolean replaced_active,
                             GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_creation_commit: makes it last once all of it is on the disk. What it replaced is
 * superseded by that, and left to the caller (lm_recover_remove_superseded()). Errors: G_IO_ERROR. */
gboolean lm_creation_commit (LmCreation *creation, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_creation_roll_back: removes the machine, and puts back what it was to replace. A
 * failure is only warned of: the next launch finds it in the records and tries again. */
void lm_creation_roll_back (const LmHost *host, LmVirt *virt, LmCreation *creation);
