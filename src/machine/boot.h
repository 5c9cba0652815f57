/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A domain's own copies of its kernel and initrd. While the guest runs, libvirt
 * gives the files in <kernel> and <initrd> to the user of QEMU, and they cannot
 * have a seclabel; the owner of a file can write to it. Therefore the shared blobs
 * of the cache are not used in the domain XML. */
#include "base/digest.h"
#include <gio/gio.h>

/** lm_boot_copy: copies @blob to the new file @path with exactly mode 0444, sharing
 * blocks if the file system can. lm_boot_sync() makes it durable. On failure the
 * new file is removed. Blocks. Errors: G_IO_ERROR (EXISTS if @path exists). */
gboolean lm_boot_copy (const char *blob, const char *path, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_boot_open: opens the copy @path for lm_boot_sync(). To be called before the
 * domain starts, because libvirt then gives the file to the user of QEMU. Returns a
 * descriptor, which the caller closes, or -1 on error (G_IO_ERROR). */
int lm_boot_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_boot_sync: syncs the copy @fd to disk, but not its directory; @path is for
 * messages. Blocks. Errors: G_IO_ERROR. */
gboolean lm_boot_sync (int fd, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_boot_check: whether @path is a regular file with the contents of @digest;
 * *out_intact is FALSE also if it does not exist. Reads all of it; blocks. Errors:
 * G_IO_ERROR. */
gboolean lm_boot_check (const char *path, const LmDigest *digest, gboolean *out_intact, GCancellable *cancellable,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_boot_replace: like lm_boot_copy(), but replaces an existing file atomically
 * and is durable when it returns. While the copy is being written, its name is that
 * of lm_file_temporary_name(). Errors: G_IO_ERROR. */
gboolean lm_boot_replace (const char *blob, const char *path, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
