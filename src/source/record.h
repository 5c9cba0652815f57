/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The files of one catalog source: record, copy, index. Each is replaced
 * atomically, the record last. They are accessible to their owner only if a URL in
 * them has credentials (base/url.h); copy and index also if they come from a file
 * that others may not read. Existing files are corrected when they are used. */
#include "base/lock.h"
#include "base/state-dir.h"
#include "source/source.h"

#define LM_SOURCE_SIZE_MAX (256 * 1024 * 1024) /* maximum size of a catalog in bytes */

/** lm_source_record_dir: returns the directory of the sources in @state_dir; newly allocated. */
char *lm_source_record_dir (const char *state_dir);

/** lm_source_record_open: opens and thereby checks that directory; it is created if
 * missing, unless @readonly is set. Errors: G_IO_ERROR. */
LmStateDir *lm_source_record_open (const char *state_dir, gboolean readonly, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_lock: takes the lock of the source @name in @dir, which is that
 * of lm_source_record_dir() or a directory in it, and is created with @mode and
 * checked. Held to compare and replace files, never during a transfer. @timeout_ms and
 * errors as for lm_lock_acquire(). */
LmLock *lm_source_record_lock (const char *state_dir, const char *dir, int mode, const char *name, gint timeout_ms,
                               GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_wait: likewise for a directory of lm_source_record_dir(); waits for
 * another process, at most a minute, and says so to @status, which may be NULL. The wait is
 * short, because a holder of the lock only compares and replaces files. Errors: those of
 * lm_lock_acquire(), with LM_LOCK_ERROR_TIMED_OUT after that minute. */
LmLock *lm_source_record_wait (const char *state_dir, const char *dir, const char *name, const LmSourceStatus *status,
                               GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_load: reads the record NAME.json in @dir. Errors:
 * LM_SOURCE_ERROR_NOT_FOUND, LM_SOURCE_ERROR_CORRUPT; G_IO_ERROR if it cannot be
 * read now. */
LmSource *lm_source_record_load (const char *dir, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_find: like lm_source_record_load(), but succeeds with
 * *out_source NULL if there is no record. The caller owns *out_source. */
gboolean lm_source_record_find (const char *dir, const char *name, LmSource **out_source, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_sweep: removes from @dir the incomplete files of sources that
 * killed runs left. Needs no lock. Errors are ignored. */
void lm_source_record_sweep (const LmStateDir *dir);

/** lm_source_record_save: removes what killed runs left, writes the copy @body
 * (NULL to keep the present one) and then the record. @catalog is the catalog in
 * the copy; NULL if unknown. To be called under the lock of the source. */
gboolean lm_source_record_save (const char *dir, const LmSource *source, GBytes *body, const LmCatalog *catalog,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_has: whether @body is already the copy of @source. */
gboolean lm_source_record_has (const char *dir, const LmSource *source, GBytes *body);

/** lm_source_record_exists: whether there is a record of the source or a copy. */
gboolean lm_source_record_exists (const char *dir, const char *name);

/** lm_source_record_has_copy: whether the copy exists; it is not read. */
gboolean lm_source_record_has_copy (const char *dir, const char *name);

/** lm_source_record_erase: removes all files of the source, including what a killed
 * run left; succeeds if some are missing. To be called under the lock of the
 * source. */
gboolean lm_source_record_erase (const char *dir, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_catalog: returns the catalog of the copy: from its index if
 * that is current, otherwise by parsing the text and writing a new index. @shown is
 * the name of the catalog in messages and plans. */
LmCatalog *lm_source_record_catalog (const char *dir, const LmSource *source, const char *shown, GPtrArray *warnings,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_source_record_parse: parses the catalog in @bytes with lm_catalog_parse(), in
 * any encoding that base/text.h recognizes. */
LmCatalog *lm_source_record_parse (const char *shown, const char *requested_url, const char *base_url, GBytes *bytes,
                                   GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
