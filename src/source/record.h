/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The files of one catalog source in its directory: record, copy, index.
 * Writing replaces each whole; the record is written last. They are for
 * their owner only when a URL in them has credentials (base/url.h), copy and
 * index also when they are of a file that others may not read; what is
 * there already is made so too when it is met. */
#include "base/lock.h"
#include "base/state-dir.h"
#include "source/source.h"

#define LM_SOURCE_SIZE_MAX (256 * 1024 * 1024) /* bytes of a catalog */

/** lm_source_record_dir: where the sources are in @state_dir; newly allocated. */
char *lm_source_record_dir (const char *state_dir);

/** lm_source_record_open: opens, and so checks, that directory; it is made if
 * missing unless @readonly. Errors: G_IO_ERROR. */
LmStateDir *lm_source_record_open (const char *state_dir, gboolean readonly, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_lock: the lock of one source, in @dir, the directory of
 * lm_source_record_dir() or one in it, which is made with @mode, and checked. Held to compare and to replace, never
 * over a transfer. Errors: as lm_lock_acquire(). */
LmLock *lm_source_record_lock (const char *state_dir, const char *dir, int mode, const char *name,
                               GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_load: the record NAME.json in @dir.
 * Errors: LM_SOURCE_ERROR_NOT_FOUND, _CORRUPT; G_IO_ERROR if it cannot be read now. */
LmSource *lm_source_record_load (const char *dir, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_find: the same, but that there is none is success, with
 * *out_source NULL; else the caller owns it. */
gboolean lm_source_record_find (const char *dir, const char *name, LmSource **out_source, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_sweep: removes from @dir the half-written files of sources that
 * killed runs left behind. The caller needs no lock. Errors are ignored. */
void lm_source_record_sweep (const LmStateDir *dir);

/** lm_source_record_save: removes what killed runs left, writes the copy
 * @body (NULL: as it was), of which @catalog was made (NULL: not known), then
 * the record. */
gboolean lm_source_record_save (const char *dir, const LmSource *source, GBytes *body, const LmCatalog *catalog,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_has: whether the copy of @source is @body already. */
gboolean lm_source_record_has (const char *dir, const LmSource *source, GBytes *body);

/** lm_source_record_has_copy: whether the copy is there; it is not read. */
gboolean lm_source_record_has_copy (const char *dir, const char *name);

/** lm_source_record_erase: removes all files of the source, also what a killed
 * run left; missing ones are fine. Both under the lock of the source. */
gboolean lm_source_record_erase (const char *dir, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_catalog: the catalog of the copy, by its index if
 * that fits, else from the text, and the index is written again.
 * @shown is what the catalog is called in messages and plans. */
LmCatalog *lm_source_record_catalog (const char *dir, const LmSource *source, const char *shown, GPtrArray *warnings,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_parse: the catalog in @bytes, as lm_catalog_parse() reads it,
 * from any encoding that base/text.h knows. */
LmCatalog *lm_source_record_parse (const char *shown, const char *asked_url, const char *base_url, GBytes *bytes,
                                   GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
