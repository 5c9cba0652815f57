/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The check of a complete file before it may be published, however its bytes came.
 * Private to fetch. */
#include "base/blob.h"
#include <gio/gio.h>

/** lm_fetch_check: whether @got, the digest of the bytes of the file @path, is that
 * of @blob, and a layer is one that lm_image_vet() accepts with its declared parent;
 * then *out_virtual_size is the size of its disk in bytes. @hint, which may be
 * empty, ends the message about a wrong digest. Blocks. Errors:
 * LM_FETCH_ERROR_DIGEST, those of lm_image_vet(). */
gboolean lm_fetch_check (const LmBlob *blob, const char *path, const LmDigest *got, const char *hint,
                         guint64 *out_virtual_size, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
