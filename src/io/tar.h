/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Reads and writes archives in the pax format of tar, uncompressed, as streams. With
 * io/unpack, the only module that includes libarchive. An archive that is read is untrusted: it
 * may contain nothing but regular files, and what it calls them is text, never a
 * path; this module creates no files. The format is defined by POSIX.1-2008, pax. */
#include <gio/gio.h>

typedef enum
{
  LM_TAR_ERROR_INVALID, /* not an archive, truncated, or it contains something other than regular files */
} LmTarError;

#define LM_TAR_ERROR lm_tar_error_quark ()
GQuark lm_tar_error_quark (void);

typedef struct _LmTarWriter LmTarWriter;
typedef struct _LmTarReader LmTarReader;

/** lm_tar_writer_new: returns a writer to @fd, which must stay open as long as it;
 * never NULL. Messages call the archive @shown. */
LmTarWriter *lm_tar_writer_new (int fd, const char *shown);
/** lm_tar_writer_free: frees @writer; an archive that was not finished is
 * incomplete. NULL is ignored. */
void lm_tar_writer_free (LmTarWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmTarWriter, lm_tar_writer_free)

/** lm_tar_writer_begin: begins a file of exactly @size bytes; the previous one is
 * complete. Its mode is 0444, its owner root and its time 1970, so the archive
 * depends on nothing but names and contents. Errors: G_IO_ERROR. */
gboolean lm_tar_writer_begin (LmTarWriter *writer, const char *name, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_tar_writer_write: writes the next @size bytes of the file. Blocks. Errors: G_IO_ERROR. */
gboolean lm_tar_writer_write (LmTarWriter *writer, const void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_tar_writer_finish: ends the archive; does not sync it. Errors: G_IO_ERROR. */
gboolean lm_tar_writer_finish (LmTarWriter *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_tar_reader_new: returns a reader of @fd, which must stay open as long as it;
 * never NULL. A pipe is waited for until @cancellable is cancelled. Messages call
 * the archive @shown. */
LmTarReader *lm_tar_reader_new (int fd, const char *shown, GCancellable *cancellable);
/** lm_tar_reader_free: frees @reader; NULL is ignored. */
void lm_tar_reader_free (LmTarReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmTarReader, lm_tar_reader_free)

/** lm_tar_reader_next: skips the rest of the file and gets the name and size in
 * bytes of the next one; *out_name is newly allocated, any non-empty text, and NULL
 * at the end of the archive. Blocks. Errors: LM_TAR_ERROR, G_IO_ERROR. */
gboolean lm_tar_reader_next (LmTarReader *reader, char **out_name, guint64 *out_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_tar_reader_read: gets the next bytes of the file, valid until the next call;
 * *out_size is 0 at its end, after exactly as many bytes as lm_tar_reader_next()
 * said. Blocks. Errors: LM_TAR_ERROR, G_IO_ERROR. */
gboolean lm_tar_reader_read (LmTarReader *reader, const void **out_data, gsize *out_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
