/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which other files a disk image of any format needs: backing file, data file,
 * extents. Before a file is removed this tells who would miss it. */
#include "image/error.h"
#include <gio/gio.h>

/** lm_image_list_references: what the image @path, a regular file, refers to itself:
 * absolute paths, and names that are no paths as they are (nbd://...); newly allocated
 * strings. A qcow2 is read here; of other formats, and of what lamina's reader refuses,
 * qemu-img tells. A file with none of the marks that QEMU knows formats by is raw, and
 * refers to nothing. Blocks. Errors: LM_IMAGE_ERROR, LM_RUN_ERROR, G_IO_ERROR. */
GPtrArray *lm_image_list_references (const char *path, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
