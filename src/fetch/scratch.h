/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Files in partial/ whose digest is not known before they are complete: what is downloaded
 * without one, unpacked or converted. Their names are digests of a text that says what they are
 * to be, so that a later run finds what a killed one left, and the collection of garbage takes it
 * like any other .part file. */
#include "cache/partial.h"
#include "fetch/error.h"

/** lm_scratch_name: returns the digest in whose name the file that @what describes is made. */
LmDigest lm_scratch_name (const char *what);

/* Says that another process is waited for. */
typedef void (*LmScratchWaitFunc) (gpointer user_data);

/** lm_scratch_open: does lm_partial_open() for the name of @what. If another process is
 * writing the file, calls @on_wait, waits until it has ended, and sets *out_waited: then the work may have been done. Errors: LM_CACHE_ERROR,
 * G_IO_ERROR (also _CANCELLED). */
LmPartial *lm_scratch_open (LmCache *cache, const char *what, LmScratchWaitFunc on_wait, gpointer user_data, gboolean *out_waited,
                            GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_scratch_publish: takes ownership of the complete @partial, whose content has the digest and
 * size of @blob, checks it as lm_fetch_check() does, and publishes it. After an error it is not
 * kept. If another process is writing the same file, *out_waited is set after that has ended, and
 * @partial is not kept. The caller holds a lease for @blob. Blocks. Errors: LM_FETCH_ERROR,
 * G_IO_ERROR_CANCELLED. */
gboolean lm_scratch_publish (LmCache *cache, LmPartial *partial, const LmBlob *blob, gboolean *out_waited,
                             GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
