/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Disk images that others publish, before they become layers: what they are, and their
 * conversion. They are hostile until the checks of qcow2.h have passed; only then qemu-img
 * reads them, with the format given, and with limits. */
#include "image/error.h"
#include "io/run.h"

typedef struct
{
  gboolean is_raw;      /* otherwise qcow2 */
  gboolean compressed;  /* some clusters are, which makes reading slow */
  guint snapshots;      /* number of internal snapshots */
  gboolean has_extras;  /* snapshots or bitmaps, which a layer must not have */
  guint64 virtual_size; /* of the disk, in bytes */
} LmForeign;

/** lm_foreign_examine: finds out what the regular file @path is, which messages call @name: a
 * qcow2 image of a whole disk, or by its partition table or file system a raw one. Runs qemu-img;
 * blocks, up to its limits. Errors: LM_IMAGE_ERROR_REFUSED (neither of these, hostile, or
 * damaged), LM_IMAGE_ERROR_FAILED, LM_RUN_ERROR_NO_SPACE, G_IO_ERROR. */
gboolean lm_foreign_examine (const char *path, const char *name, LmForeign *out_foreign, GCancellable *cancellable,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_foreign_needs_conversion: whether the image cannot be a layer as it is. */
gboolean lm_foreign_needs_conversion (const LmForeign *foreign);

/** lm_foreign_measure: gets how many bytes the result of the conversion will have at most. The
 * image was examined. Blocks. Errors: as for lm_foreign_examine(). */
gboolean lm_foreign_measure (const LmForeign *foreign, const char *path, const char *name, guint64 *out_size,
                             GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_foreign_convert: converts the examined image to a qcow2 image without compressed clusters,
 * snapshots and bitmaps in the file @to, which exists and is overwritten. The same image gives
 * the same bytes with the same version of QEMU. Blocks. Errors: as for lm_foreign_examine(). */
gboolean lm_foreign_convert (const LmForeign *foreign, const char *path, const char *name, const char *to,
                             GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
