/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A disk image that somebody published, on its way to a layer: on this host, its checksum
 * compared, unpacked, converted. Everything that is made on the way is a scratch file in
 * partial/ (fetch/scratch.h). The file is untrusted. For base-image.c only. */
#include "base/checksum.h"
#include "fetch/scratch.h"
#include "ops/host.h"

typedef enum
{
  LM_IMAGE_FILE_ERROR_CHECKSUM, /* the file does not have the checksum that it should have */
} LmImageFileError;

#define LM_IMAGE_FILE_ERROR lm_image_file_error_quark ()
GQuark lm_image_file_error_quark (void);

typedef struct _LmImageFile LmImageFile;

/** lm_image_file_name: returns the name of the file that the URL or path leads to, decoded; newly allocated. */
char *lm_image_file_name (const char *url_or_file);

/** lm_image_file_checksum: gets the checksum that @text of the user gives for @url_or_file: itself
 * one, or the URL or file of a list. Blocks. Errors: LM_CHECKSUM_ERROR, LM_HTTP_ERROR,
 * LM_SOURCE_ERROR_FETCH, G_IO_ERROR_CANCELLED. */
gboolean lm_image_file_checksum (const char *text, const char *url_or_file, LmChecksum *out_checksum, GCancellable *cancellable,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_image_file_open: downloads the file, or opens the local one, and reads all of it. @checksum
 * is what it must have; NULL for any. If another process was found to do the same, sets
 * *out_waited after that has ended and returns NULL without an error: the layer may be there.
 * @cache and @host must outlive the result. Blocks. Errors: LM_IMAGE_FILE_ERROR, LM_FETCH_ERROR,
 * those of lm_room_make(), G_IO_ERROR. */
LmImageFile *lm_image_file_open (const LmHost *host, LmCache *cache, const char *url_or_file, const LmChecksum *checksum,
                                 gboolean *out_waited, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_image_file_free: frees @file; a local file stays, as does an incomplete download. NULL is ignored. */
void lm_image_file_free (LmImageFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmImageFile, lm_image_file_free)

/** lm_image_file_discard: deletes what was downloaded, which is of no more use. */
void lm_image_file_discard (LmImageFile *file);

/** lm_image_file_get_origin: returns its checksums and where it came from, as text for the entry
 * of a layer: without credentials, and of a local file only the name; newly allocated. */
char *lm_image_file_get_origin (const LmImageFile *file);

/** lm_image_file_make_layer: makes a layer of the file: unpacks it if it is compressed, and
 * converts what cannot be a layer as it is. Appends to @changes (char *) what was changed. Sets
 * size and digest of @out_blob, and *out_virtual_size in bytes; @out_waited as above, with TRUE as
 * the result. Blocks. Errors: LM_IMAGE_ERROR, LM_UNPACK_ERROR, LM_CACHE_ERROR, those of
 * lm_room_make(), G_IO_ERROR. */
gboolean lm_image_file_make_layer (LmImageFile *file, GPtrArray *changes, LmBlob *out_blob, guint64 *out_virtual_size,
                                   gboolean *out_waited, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_image_file_publish: publishes what lm_image_file_make_layer() made, as @blob. Errors and
 * *out_waited as for lm_scratch_publish(). */
gboolean lm_image_file_publish (LmImageFile *file, const LmBlob *blob, gboolean *out_waited, GError **error) G_GNUC_WARN_UNUSED_RESULT;
