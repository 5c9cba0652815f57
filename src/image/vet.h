/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Is this file a layer that may be shared? First lamina's own header check
 * (qcow2.h), then qemu-img info under limits; both must agree. */
#include "base/digest.h"
#include <gio/gio.h>

typedef enum
{
  LM_IMAGE_ERROR_REFUSED, /* hostile or not what was declared; final */
  LM_IMAGE_ERROR_FAILED,  /* could not be judged: qemu-img missing, ... */
} LmImageError;

#define LM_IMAGE_ERROR lm_image_error_quark ()
GQuark lm_image_error_quark (void);

/** lm_image_vet: checks that @path is a qcow2 layer whose parent is exactly
 * @parent (NULL: a base, no backing file at all). @name names it in messages.
 * @out_virtual_size (bytes) may be NULL. Starts qemu-img; blocks (bounded by
 * its time limit). Errors: LM_IMAGE_ERROR, G_IO_ERROR. */
gboolean lm_image_vet (const char *path, const char *name, const LmDigest *parent, guint64 *out_virtual_size,
                       GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
