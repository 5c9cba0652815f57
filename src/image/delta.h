/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A layer from an overlay: what differs from the parent, and nothing else. */
#include "base/digest.h"
#include "image/error.h"
#include <gio/gio.h>

/** lm_image_make_workspace: creates the overlay @overlay (mode 0600) over the layer @parent_path,
 * both absolute, in which a new layer is made. Unlike the overlay of a machine it keeps track of
 * each block, so that freed ones leave nothing behind. Runs qemu-img. Errors:
 * LM_IMAGE_ERROR, LM_RUN_ERROR, G_IO_ERROR. */
gboolean lm_image_make_workspace (const char *parent_path, const char *overlay, GCancellable *cancellable,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_image_make_disk: creates the image @path (mode 0600, absolute) of an empty disk of @size bytes, in
 * which a base is made. Runs qemu-img. Errors: LM_RUN_ERROR, G_IO_ERROR. */
gboolean lm_image_make_disk (const char *path, guint64 size, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_image_make_delta: writes to the file @to, which is overwritten, or else created with mode 0600, the
 * layer whose content is that
 * of @overlay and whose parent is the layer @parent with the file @parent_path. All
 * paths are absolute; the backing file of @overlay is @parent_path, or another file over it.
 * Equal content gives an equal file. The file is synced. Another file, whose name begins with @overlay, is
 * made meanwhile; it is left only if lamina is killed. Runs qemu-img; blocks.
 * Errors: LM_IMAGE_ERROR_REFUSED (the overlay is not one), LM_RUN_ERROR,
 * G_IO_ERROR. */
gboolean lm_image_make_delta (const char *overlay, const char *parent_path, const LmDigest *parent, const char *to,
                              GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
