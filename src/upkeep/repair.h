/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Repairs damaged files of the cache: pulls them again from where the catalogs say that
 * they are, or where the records of machines say that they came from. */
#include "cache/cache.h"
#include "ops/host.h"

typedef enum
{
  LM_REPAIR_ERROR_UNKNOWN, /* neither a catalog nor a record says where the file can be pulled from */
} LmRepairError;

#define LM_REPAIR_ERROR lm_repair_error_quark ()
GQuark lm_repair_error_quark (void);

/* What is known about where files come from. */
typedef struct _LmRepair LmRepair;

/** lm_repair_new: loads the catalogs and records of @host, which must outlive the result.
 * What cannot be read causes a warning. Uses the network only for extra catalogs that are
 * URLs. Errors: G_IO_ERROR_CANCELLED. */
LmRepair *lm_repair_new (const LmHost *host, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_repair_free: frees @repair; NULL is ignored. */
void lm_repair_free (LmRepair *repair);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmRepair, lm_repair_free)

/** lm_repair_get_depth: returns how many layers are below the file, as far as known. A
 * layer is repaired after those below it, because it is compared with its parent. */
guint lm_repair_get_depth (const LmRepair *repair, LmBlobKind kind, const LmDigest *digest);

/** lm_repair_file: pulls the file that a check of this run found damaged. It stays in
 * its place until a good one has arrived completely, which then takes its place; the
 * damaged one is moved to the quarantine. If it cannot be pulled, it stays. *out_aside
 * is where it is now, newly allocated; NULL if another process has repaired it. If another
 * process has removed it meanwhile, it is not pulled, and *out_removed is TRUE. Makes
 * room as for a pull. Blocks on the network. Errors: LM_REPAIR_ERROR, LM_FETCH_ERROR,
 * and those of lm_room_make(). */
gboolean lm_repair_file (const LmRepair *repair, LmCache *cache, const LmCacheEntry *entry, char **out_aside,
                         gboolean *out_removed, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
