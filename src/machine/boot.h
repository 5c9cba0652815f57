/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A domain's own copy of its kernel and initrd. libvirt gives the files that
 * <kernel> and <initrd> name to the QEMU user while the guest runs, and no
 * seclabel can be put on them; whoever owns a file can write it. So the shared
 * blobs of the cache stay out of the domain's XML. */
#include <gio/gio.h>

/** lm_boot_copy: copies @blob to the new file @path, mode 0444; sharing the
 * blocks where the file system can. lm_boot_sync() makes it durable.
 * What was made is removed when it fails. Blocks. Errors: G_IO_ERROR (EXISTS
 * when @path is there). */
gboolean lm_boot_copy (const char *blob, const char *path, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_boot_sync: writes a copy through to the disk; its directory is the caller's.
 * Blocks. Errors: G_IO_ERROR. */
gboolean lm_boot_sync (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
