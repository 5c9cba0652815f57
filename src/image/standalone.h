/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* One image of a disk that is made of several: it has the content of all, and refers to no other file. */
#include "image/error.h"
#include <gio/gio.h>

typedef enum
{
  LM_STANDALONE_QCOW2,
  LM_STANDALONE_RAW,
} LmStandaloneFormat;

/** lm_standalone_measure: gets how many bytes the image of the disk @path, a qcow2 image over others, will occupy at most;
 * what is zero occupies nothing. The header of @path, and of each image below it, was checked. Runs qemu-img; blocks.
 * Errors: LM_IMAGE_ERROR_FAILED, LM_RUN_ERROR. */
gboolean lm_standalone_measure (const char *path, guint64 *out_size, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_standalone_write: writes the image of the disk @path, as above, to the file @to, which exists and is overwritten. Both
 * are absolute. Runs qemu-img; blocks. Errors: LM_RUN_ERROR. */
gboolean lm_standalone_write (const char *path, LmStandaloneFormat format, const char *to, GCancellable *cancellable,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
