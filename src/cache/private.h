/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What cache.c, partial.c and scrub.c share. Private to cache. */
#include "cache/cache.h"

struct _LmCache
{
  LmStateDir *state;
  LmStateDir *dirs[LM_BLOB_N_KINDS];
  LmStateDir *verified;
  LmStateDir *partial; /* NULL if the cache was opened read-only */
  LmLock *part_locks;  /* one descriptor for all; NULL before the first use */
  GHashTable *parts;   /* LmDigest, those that are locked through it */
  GHashTable *claims;  /* LmDigest, those that are reserved for this process */
  LmFindings *findings;
  gboolean with_flag;
};

/** lm_cache_get_name: returns the name that the file has in its directory, newly allocated. */
char *lm_cache_get_name (LmBlobKind kind, const LmDigest *digest);

/** lm_cache_open_file: opens the file @name of @kind for reading; -1 with errno on failure. */
int lm_cache_open_file (LmCache *cache, LmBlobKind kind, const char *name);

/** lm_cache_note: records what was found out about the contents of a file, for this run
 * and, if @for_later, for later ones. */
void lm_cache_note (LmCache *cache, LmBlobKind kind, const LmDigest *digest, const LmFinding *finding, gboolean for_later);

/** lm_cache_get_part_locks: returns the lock table of partial/ that this process uses, owned by @cache. */
LmLock *lm_cache_get_part_locks (LmCache *cache, GError **error) G_GNUC_WARN_UNUSED_RESULT;
