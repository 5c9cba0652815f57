/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Is this file a layer that may be shared? First lamina's own header check
 * (qcow2.h), then qemu-img info under limits; both must agree. */
#include "base/digest.h"
#include "image/error.h"
#include "io/run.h"
#include <gio/gio.h>

/* What every qemu-img that reads an image of unknown origin may use. */
extern const LmRunLimits lm_image_limits;

/** lm_image_vet: checks that @path is a qcow2 layer whose parent is exactly
 * @parent (NULL: a base, no backing file at all). @name names it in messages.
 * The parent need not be there. @out_virtual_size (bytes) may be NULL. Starts
 * qemu-img; blocks (bounded by its time limit). Errors: LM_IMAGE_ERROR_REFUSED
 * (the header check or qemu-img says no), LM_IMAGE_ERROR_FAILED (it could not be
 * checked: qemu-img is missing, was killed or met a limit), LM_RUN_ERROR_NO_SPACE,
 * G_IO_ERROR. */
gboolean lm_image_vet (const char *path, const char *name, const LmDigest *parent, guint64 *out_virtual_size,
                       GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_image_vet_size: checks that a layer whose disk has @virtual_size bytes does not
 * have a smaller disk than its parent, the file @parent_path: the rest would read as
 * zeros. @name is the layer's name in messages. A parent that is missing, or is not a
 * layer, is not checked. Errors: LM_IMAGE_ERROR_REFUSED, G_IO_ERROR. */
gboolean lm_image_vet_size (guint64 virtual_size, const char *name, const char *parent_path,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
