/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which other files a disk image of any format refers to: backing file, data file,
 * extents. Used before a file is removed, to find out who would miss it. */
#include "image/error.h"
#include <gio/gio.h>

/** lm_image_list_references: returns what the image @path, a regular file or block
 * device, itself refers to: absolute paths, and names that are not paths unchanged
 * (nbd://...); newly allocated strings. If a symbolic link, @link (else NULL), leads to
 * it, relative names are returned twice: QEMU takes them from the directory of the link.
 * A qcow2 image is read here; qemu-img reads other formats, and what lamina's reader
 * refuses. What has none of the magic bytes by which QEMU recognizes formats is raw and
 * refers to nothing, as does a drive without a medium. Blocks. Errors: LM_IMAGE_ERROR,
 * LM_RUN_ERROR, G_IO_ERROR. */
GPtrArray *lm_image_list_references (const char *path, const char *link, GCancellable *cancellable,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
