/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Creates a new machine, from a plan to its domain. Its record is "complete" only
 * after lm_creation_commit(); until then the machine can be rolled back without
 * loss, by the run that creates it or, if that is killed, by lm_recover(). */
#include "ops/disks.h"
#include "ops/existing.h"
#include "ops/launch-request.h"
#include "ops/prepare.h"

typedef struct
{
  LmMachine *machine;
  LmVirtDomain *domain;
  LmMachine *replaced; /* the machine whose name it takes; NULL if none */
  gboolean started;    /* a transient domain is started when it is created */
  LmDisksJob *sync;    /* runs while the domain starts */
  LmPrepareResult prepared;
} LmCreation;

/** lm_creation_free: frees @creation, but removes nothing; NULL is ignored. */
void lm_creation_free (LmCreation *creation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCreation, lm_creation_free)

/** lm_creation_new: checks @request, pulls what @plan requires, and creates record,
 * disks and domain. @requested are the selections of @request, normalized.
 * @replaced is the machine whose name it takes, or NULL; takes ownership of it.
 * @replaced_active is whether that machine is running. @plan must outlive the
 * creation. On failure everything is rolled back. Blocks on network, disk and
 * libvirt. Errors: those of lm_launch(). */
LmCreation *lm_creation_new (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, char **requested,
                             const LmPlan *plan, LmMachine *replaced, gboolean replaced_active,
                             GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_creation_commit: makes the machine permanent once everything is durable. The
 * machine that it replaced is superseded then; removing it is left to the caller
 * (lm_recover_remove_superseded()). Errors: G_IO_ERROR. */
gboolean lm_creation_commit (LmCreation *creation, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_creation_roll_back: removes the machine and restores the one that it was to
 * replace. A failure only causes a warning; the next launch finds it in the records
 * and tries again. */
void lm_creation_roll_back (const LmHost *host, LmVirt *virt, LmCreation *creation);
