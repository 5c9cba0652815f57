/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The overlay, the one writable qcow2 image of a machine's disk. It refers to its
 * backing file by absolute path: libvirt gets the whole chain in the domain XML in
 * any case, and whoever has only the overlay finds its layers from any directory. */
#include "image/error.h"
#include <gio/gio.h>

/** lm_overlay_argv: returns the command that creates @overlay over @backing, both
 * absolute, with a disk of @size bytes; NULL-terminated, newly allocated. The
 * command does not open the backing file, so its cost does not depend on the chain. */
char **lm_overlay_argv (const char *backing, const char *overlay, guint64 size, gboolean extended_l2);

/** lm_overlay_is_pristine: whether nothing has been written to @overlay since
 * lm_overlay_create() created it, so that deleting it loses nothing; also TRUE if
 * it does not exist. This is determined by its modification time, which is set to a
 * time long past when it is created. Errors: G_IO_ERROR. */
gboolean lm_overlay_is_pristine (const char *overlay, gboolean *out_pristine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_overlay_create: creates @overlay (mode 0600) over the qcow2 file @backing,
 * both absolute, with a disk of @size bytes, or of the size of the backing file if
 * that is larger; *out_size (which may be NULL) is the resulting size. An existing
 * overlay over the same file that is large enough is left as it is. The overlay
 * appears completely or not at all, and is durable when the function returns. Runs
 * qemu-img; blocks. Errors: G_IO_ERROR_EXISTS (there is a different file),
 * LM_IMAGE_ERROR, LM_RUN_ERROR, G_IO_ERROR. */
gboolean lm_overlay_create (const char *backing, const char *overlay, guint64 size, guint64 *out_size,
                            GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
