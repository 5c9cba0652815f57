/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "diff": what packages and files a layer changes relative to its parent, or a machine that is shut off
 * relative to its layers. Changes nothing. */
#include "author/file-list.h"
#include "build/appliance.h"
#include "ops/host.h"
#include "virt/connect.h"

typedef struct
{
  const char *const *selections; /* the topmost layer of their chain is examined; ignored if there is a machine */
  const char *machine;           /* its name, or NULL */
  gboolean packages, files;      /* what is compared */
  gboolean content;              /* a file that was only written to again does not count; all files are read for that */
  LmApplianceSettings appliance; /* program and virt_type */
} LmDifferenceRequest;

typedef struct
{
  char *name;
  char *before; /* version, or several with commas between them; NULL if it was added */
  char *after;  /* likewise; NULL if it was removed */
} LmPackageChange;

typedef struct
{
  char *name;          /* "name@version" of the layer, or the name of the machine */
  char *parent;        /* "name@version"; NULL for a base, of which everything counts as added */
  GPtrArray *packages; /* LmPackageChange, ordered by name; empty if they were not compared */
  GArray *files;       /* LmFileChange; NULL if they were not compared */
  LmFileList *before, *after; /* to which the changes refer */
} LmDifference;

/** lm_difference_free: frees @difference; NULL is ignored. */
void lm_difference_free (LmDifference *difference);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDifference, lm_difference_free)

/** lm_difference_find: does what @request says. What is missing is pulled. The packages are those that the catalogs record,
 * or else that the guest's package manager has. @virt is needed for a machine only. Blocks, for 10 s and more if the
 * appliance is needed. Errors: LM_APPLIANCE_ERROR, LM_PACKAGES_ERROR, those of lm_machine_disk_open(),
 * lm_machine_disk_check(), lm_prepare_plan_over() and lm_prepare_pull(), G_IO_ERROR. */
LmDifference *lm_difference_find (const LmHost *host, LmVirt *virt, const LmDifferenceRequest *request, GCancellable *cancellable,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
