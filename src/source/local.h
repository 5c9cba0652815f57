/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The catalog of what this host made itself. It is the source LM_LOCAL_NAME, which exists
 * as soon as it lists a layer: a record like that of an imported catalog (source.h), whose
 * files are nowhere but in the cache. A layer whose file is not there is not available,
 * although its entry stays. Users can neither add nor remove a source of that name. */
#include "source/source.h"

typedef enum
{
  LM_LOCAL_UNCHANGED, /* it listed exactly that already */
  LM_LOCAL_CHANGED,
} LmLocalChange;

/** lm_local_add: makes the catalog list @layer with its builds, which are in the cache, and
 * durably so. Of a layer with the same name, version and architecture that it lists already,
 * everything but the builds is replaced, and those builds that are on the same parent; the
 * same goes for @group, the group of @layer. A file that it lists under another name or version
 * moves to @layer. Unless @replace is set, such a file is refused, and a build that has another digest
 * than one on the same parent whose file is in the cache. Two processes at once lose nothing. URLs of
 * @layer are removed, as by lm_portable_to_json(). The caller holds a lease for the files,
 * so that they are not removed before they are listed. Waits as lm_source_add() does.
 * Errors: those of lm_catalog_parse() if @layer is not valid, LM_SOURCE_ERROR_EXISTS (an
 * older source of another kind has the name, or a build is refused), LM_SOURCE_ERROR_CORRUPT, LM_LOCK_ERROR,
 * G_IO_ERROR. */
gboolean lm_local_add (const char *state_dir, const LmLayer *layer, const LmGroup *group, gboolean replace, LmLocalChange *out_change,
                       const LmSourceStatus *status, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_local_check: whether lm_local_add() would accept the entry of @layer, whose URLs it also
 * removes. Errors: those of lm_catalog_parse_own(). */
gboolean lm_local_check (const LmLayer *layer, const LmGroup *group, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_local_load: sets *out_catalog to the catalog with all its entries, also those of layers
 * that are not available; NULL if there is none. The caller frees it. Errors: as for
 * lm_local_add(). */
gboolean lm_local_load (const char *state_dir, LmCatalog **out_catalog, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_local_keep_available: returns @catalog, of which it takes ownership, without what is not available. */
LmCatalog *lm_local_keep_available (const char *state_dir, LmCatalog *catalog, GError **error) G_GNUC_WARN_UNUSED_RESULT;
