/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Takes a blob into the cache whose bytes the caller has in order, for example from
 * an archive. They go the same way as those of a pull: to the .part file, through
 * the hasher and lm_image_vet(), and only then to the final name. Bytes that an
 * earlier run left in the .part file are compared with those that the caller has,
 * and kept as far as they are the same. */
#include "cache/cache.h"
#include "fetch/error.h"

typedef struct _LmIntake LmIntake;

/** lm_intake_open: begins to take @blob, which must outlive the result, as must
 * @cache. If it is in the cache, sets *out_intake to NULL. If another process is
 * writing the file, waits for it, and takes over if it dies. A layer whose parent is
 * not in the cache is refused. Blocks. Errors:
 * LM_FETCH_ERROR, G_IO_ERROR_CANCELLED. */
gboolean lm_intake_open (LmCache *cache, const LmBlob *blob, LmIntake **out_intake, GCancellable *cancellable,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_intake_free: frees @intake and keeps what was received for the next run; NULL
 * is ignored. */
void lm_intake_free (LmIntake *intake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmIntake, lm_intake_free)

/** lm_intake_write: takes the next @size bytes; together they must not be more than
 * the size of the blob. Blocks. Errors: LM_FETCH_ERROR, G_IO_ERROR_CANCELLED. */
gboolean lm_intake_write (LmIntake *intake, const void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_intake_finish: checks the file, which must be complete, and publishes it. What
 * is refused is not kept. Blocks. Errors: LM_FETCH_ERROR, G_IO_ERROR_CANCELLED. */
gboolean lm_intake_finish (LmIntake *intake, GError **error) G_GNUC_WARN_UNUSED_RESULT;
