/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The one writable qcow2 of a domain's disk. It names its backing file by
 * absolute path: libvirt gets the whole chain in the domain's XML anyway, and
 * whoever looks at the overlay alone finds its layers from any directory. */
#include "image/error.h"
#include <gio/gio.h>

/** lm_overlay_argv: the command that makes @overlay over @backing, both
 * absolute, with a disk of @size bytes; NULL-terminated, newly allocated. It
 * does not open the backing file, so it costs the same for any chain. */
char **lm_overlay_argv (const char *backing, const char *overlay, guint64 size, gboolean extended_l2);

/** lm_overlay_is_pristine: whether nothing was written to @overlay since
 * lm_overlay_create() made it, so that it holds nothing to lose; TRUE also if it is
 * not there. Told by its time of modification, which is set to one long past when it
 * is made. Errors: G_IO_ERROR. */
gboolean lm_overlay_is_pristine (const char *overlay, gboolean *out_pristine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_overlay_create: makes @overlay (mode 0600) over the qcow2 @backing, both
 * absolute, with a disk of @size bytes or the backing file's size if that is
 * larger; *out_size (may be NULL) is what it became. An overlay that is there
 * already, over the same file and large enough, is left as it is. It appears
 * whole or not at all, and has reached the disk. Starts qemu-img; blocks.
 * Errors: G_IO_ERROR_EXISTS (another file is there), LM_IMAGE_ERROR,
 * LM_RUN_ERROR, G_IO_ERROR. */
gboolean lm_overlay_create (const char *backing, const char *overlay, guint64 size, guint64 *out_size,
                            GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
