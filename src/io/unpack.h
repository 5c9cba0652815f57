/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Reads the content of a file that is compressed by gzip, xz, lz4, zstd or bzip2, as a stream. What
 * is read is untrusted; the caller limits how much of it there may be. With io/tar, the only
 * module that includes libarchive. */
#include <gio/gio.h>

typedef enum
{
  LM_UNPACK_ERROR_INVALID,     /* it is damaged, or cut off */
  LM_UNPACK_ERROR_UNSUPPORTED, /* libarchive was built without this format */
  LM_UNPACK_ERROR_TOO_BIG,     /* more than the given number of bytes */
} LmUnpackError;

#define LM_UNPACK_ERROR lm_unpack_error_quark ()
GQuark lm_unpack_error_quark (void);

typedef struct _LmUnpack LmUnpack;

/** lm_unpack_recognize: returns the format of a file that begins with the @size bytes at @head:
 * "gzip", "xz", "lz4", "zstd" or "bzip2", static; NULL if it is not compressed. */
const char *lm_unpack_recognize (const void *head, gsize size);

/** lm_unpack_new: returns a reader of the content of the regular file @fd, from its beginning, in
 * @format of lm_unpack_recognize(). @fd must stay open as long as it. Messages call the file
 * @shown. Errors: LM_UNPACK_ERROR_UNSUPPORTED. */
LmUnpack *lm_unpack_new (int fd, const char *format, const char *shown, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_unpack_free: frees @unpack; NULL is ignored. */
void lm_unpack_free (LmUnpack *unpack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmUnpack, lm_unpack_free)

/** lm_unpack_read: gets the next bytes, valid until the next call; *out_size is 0 at the end.
 * Blocks. Errors: LM_UNPACK_ERROR_INVALID, G_IO_ERROR. */
gboolean lm_unpack_read (LmUnpack *unpack, const void **out_data, gsize *out_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_unpack_bytes: returns the content of @data, at most @max_size bytes, for small files such
 * as package indexes; a new reference to @data if they are not compressed. CPU-bound. Errors:
 * LM_UNPACK_ERROR. */
GBytes *lm_unpack_bytes (GBytes *data, const char *shown, gsize max_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
