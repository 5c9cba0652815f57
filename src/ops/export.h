/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "cache export": a chain with its kernel, its initrd and its catalog
 * entries becomes one archive (catalog/portable.h has its layout, io/tar.h its
 * format), which lm_import() reads on another host. The same files and catalog
 * entries give the same bytes. */
#include "ops/host.h"
#include "ops/prepare.h"

typedef enum
{
  LM_EXPORT_ERROR_NOT_CACHED, /* a file is not in the cache and must not be pulled */
  LM_EXPORT_ERROR_CHANGED,    /* a cached file does not have the contents that it should have */
} LmExportError;

#define LM_EXPORT_ERROR lm_export_error_quark ()
GQuark lm_export_error_quark (void);

typedef struct
{
  const char *file;              /* "-" for standard output */
  const char *const *selections; /* may be empty if there is a machine */
  const char *machine;           /* take the chain of this machine instead; NULL for none */
  gboolean force;                /* replace an existing file */
  gboolean pull;                 /* pull what is missing */
} LmExportRequest;

typedef struct
{
  char *name;       /* of the catalog in the archive; NULL if it has none */
  GPtrArray *blobs; /* LmBlob: the files in it, layers base first, with their sizes */
  guint64 bytes;    /* of all of them */
  LmPrepareResult pulled;
} LmExportResult;

/** lm_export_result_free: frees @result; NULL is ignored. */
void lm_export_result_free (LmExportResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmExportResult, lm_export_result_free)

/** lm_export: does what @request says. The file appears under its name when it is
 * complete and durable, or not at all. Every file is hashed while it is written.
 * Blocks. Errors: LM_EXPORT_ERROR, LM_OUTPUT_FILE_ERROR_EXISTS, and those of lm_prepare_plan(),
 * lm_machine_find(), lm_prepare_recorded(), lm_lock_acquire() and G_IO_ERROR. */
LmExportResult *lm_export (const LmHost *host, const LmExportRequest *request, GCancellable *cancellable,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
