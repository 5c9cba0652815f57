/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Decides whether a file is a layer that may be shared. First lamina's own header
 * check (qcow2.h), then qemu-img info under limits; both must agree. */
#include "base/digest.h"
#include "image/error.h"
#include "io/run.h"
#include <gio/gio.h>

/** lm_image_vet: checks that @path is a qcow2 layer whose parent is exactly @parent
 * (NULL for a base, which has no backing file). @name is its name in messages. The
 * parent does not have to exist. @out_virtual_size (in bytes) may be NULL. Runs
 * qemu-img; blocks, up to its time limit. Errors: LM_IMAGE_ERROR_REFUSED (the
 * header check or qemu-img refuses it), LM_IMAGE_ERROR_FAILED (it could not be
 * checked: qemu-img is missing, was killed or exceeded a limit),
 * LM_RUN_ERROR_NO_SPACE, G_IO_ERROR. */
gboolean lm_image_vet (const char *path, const char *name, const LmDigest *parent, guint64 *out_virtual_size,
                       GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_image_vet_size: checks that the disk of a layer, which has @virtual_size
 * bytes, is not smaller than that of its parent, the file @parent_path, because
 * data would be lost. @name is the layer's name in messages. A parent that is
 * missing, or is not a layer, is not checked. Errors: LM_IMAGE_ERROR_REFUSED,
 * G_IO_ERROR. */
gboolean lm_image_vet_size (guint64 virtual_size, const char *name, const char *parent_path,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
