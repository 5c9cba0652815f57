/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "cache import": the files and catalog entries of an archive that
 * lm_export() made, on another host. The archive is untrusted. Each file takes the
 * way of a pull (fetch/intake.h); its name in the archive only selects an entry of
 * the catalog, which comes first. The catalog becomes a source once all of its files
 * are there. */
#include "ops/host.h"
#include "source/source.h"

typedef enum
{
  LM_IMPORT_ERROR_REFUSED, /* not an archive as lm_export() makes it, or it is not complete */
} LmImportError;

#define LM_IMPORT_ERROR lm_import_error_quark ()
GQuark lm_import_error_quark (void);

typedef struct
{
  LmBlob blob;
  gboolean cached; /* was in the cache before */
} LmImportFile;

typedef struct
{
  GPtrArray *files; /* LmImportFile, in the order of the catalog */
  char *source;     /* name of the catalog source */
  LmSourceImport change; /* what happened to it */
} LmImportResult;

/** lm_import_result_free: frees @result; NULL is ignored. */
void lm_import_result_free (LmImportResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmImportResult, lm_import_result_free)

/** lm_import: imports the archive @file ("-" for standard input) as the source
 * @name, or NULL for the name of the catalog in it. After a failure the complete
 * files stay in the cache and the beginning of another in partial/, so that another
 * try continues; the source is not changed. Blocks. Errors: LM_IMPORT_ERROR,
 * LM_TAR_ERROR, LM_FETCH_ERROR, LM_SOURCE_ERROR, LM_CACHE_ERROR, those of
 * lm_catalog_parse(), G_IO_ERROR. */
LmImportResult *lm_import (const LmHost *host, const char *file, const char *name, GCancellable *cancellable,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
