/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "import": a disk image that somebody publishes becomes a base layer, which the
 * local catalog lists (source/local.h). Running it again changes at most what the catalog says. */
#include "ops/host.h"

typedef enum
{
  LM_BASE_IMAGE_ERROR_REQUEST,   /* no name and version, or something that cannot be in a catalog */
  LM_BASE_IMAGE_ERROR_DIFFERENT, /* a catalog lists another base with this name and version */
} LmBaseImageError;

#define LM_BASE_IMAGE_ERROR lm_base_image_error_quark ()
GQuark lm_base_image_error_quark (void);

/* What is NULL is not given: then what the local catalog said before about the same file under
 * the same name and version stays. What is empty or 0 is removed from what it says. */
typedef struct
{
  const char *url_or_file;
  const char *as;       /* "name@version" */
  const char *group;    /* by default LM_BASE_IMAGE_GROUP */
  const char *checksum; /* as for lm_image_file_checksum() */
  const char *arch;     /* by default that in the file name, or else of the host */
  const char *summary, *osinfo, *ready; /* as in a catalog; likewise the following */
  const char *const *provides;           /* NULL or an empty list: not given; only "": none */
  const guint64 *memory, *disk;          /* in bytes */
  const char *kernel, *initrd, *cmdline; /* files, for a disk that does not boot by itself; without a kernel the others go too */
} LmBaseImageRequest;

#define LM_BASE_IMAGE_GROUP "os"

typedef enum
{
  LM_BASE_IMAGE_UNCHANGED, /* a catalog lists it, and the file is in the cache */
  LM_BASE_IMAGE_UPDATED,   /* only what the catalog says about it has changed */
  LM_BASE_IMAGE_IMPORTED,
} LmBaseImageAction;

typedef struct
{
  LmBaseImageAction action;
  char *name, *version, *group;
  char *source;         /* name of the catalog that lists it */
  LmBlob blob;
  guint64 virtual_size; /* of the disk, in bytes; 0 if the image was not examined */
  char *origin;         /* as in a catalog; may be NULL */
  gboolean verified;    /* its checksum was compared */
  GPtrArray *changes;   /* char *: what was changed, for people */
} LmBaseImageResult;

/** lm_base_image_result_free: frees @result; NULL is ignored. */
void lm_base_image_result_free (LmBaseImageResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmBaseImageResult, lm_base_image_result_free)

/** lm_base_image_import: does what @request says. After a failure nothing is listed, and what was
 * downloaded stays for the next run unless it is known to be wrong. If another process imports the
 * same, waits for it. Blocks. Errors: LM_BASE_IMAGE_ERROR, LM_CHECKSUM_ERROR, those of
 * lm_image_file_open(), lm_image_file_make_layer(), lm_image_file_publish() and lm_local_add(). */
LmBaseImageResult *lm_base_image_import (const LmHost *host, const LmBaseImageRequest *request, GCancellable *cancellable,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
