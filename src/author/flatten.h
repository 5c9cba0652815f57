/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "flatten": a chain, or the disk of a machine that is shut off, becomes one image that needs no other file. */
#include "image/standalone.h"
#include "ops/host.h"
#include "virt/connect.h"

typedef struct
{
  const char *file;              /* to be written */
  LmStandaloneFormat format;
  const char *const *selections; /* of the chain; ignored if there is a machine */
  const char *machine;           /* its name, or NULL */
  gboolean force;                /* replace existing files */
  gboolean boot_files;           /* also write kernel and initrd, to the name of the file with ".kernel" and ".initrd" */
} LmFlattenRequest;

typedef struct
{
  guint64 virtual_size; /* of the disk, in bytes */
  guint64 size;         /* of the file; it may occupy less */
  guint64 allocated;    /* what it occupies */
  /* A disk that does not boot by itself needs these; NULL if it does, or if the kernel needs none. They are paths in the
   * cache or in the machine's directory, or of the written files. */
  char *kernel, *initrd, *cmdline;
} LmFlattenResult;

/** lm_flatten_result_free: frees @result; NULL is ignored. */
void lm_flatten_result_free (LmFlattenResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmFlattenResult, lm_flatten_result_free)

/** lm_flatten_run: does what @request says. What is missing is pulled. The files appear under their names when all are complete
 * and durable, or not at all. @virt is needed for a machine only. Blocks. Errors: LM_OUTPUT_FILE_ERROR, LM_RUN_ERROR,
 * G_IO_ERROR (NO_SPACE if the image would not fit), those of lm_machine_disk_open(), lm_machine_disk_check(),
 * lm_prepare_plan_over(), lm_prepare_pull() and lm_chain_check(). */
LmFlattenResult *lm_flatten_run (const LmHost *host, LmVirt *virt, const LmFlattenRequest *request, GCancellable *cancellable,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
