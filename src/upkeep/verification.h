/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Verifies all files of the cache, one after the other, slowly and without being in the
 * way of others; and repairs what is damaged, if it is asked to. */
#include "cache/scrub.h"
#include "ops/layer-names.h"
#include "users/layer-users.h"

typedef enum
{
  LM_VERIFICATION_ERROR_DAMAGED,   /* there is damage that was not repaired */
  LM_VERIFICATION_ERROR_UNCHECKED, /* files could not be checked */
} LmVerificationError;

#define LM_VERIFICATION_ERROR lm_verification_error_quark ()
GQuark lm_verification_error_quark (void);

typedef enum
{
  LM_VERIFIED_OK,
  LM_VERIFIED_DAMAGED,   /* its contents are wrong, and were not repaired */
  LM_VERIFIED_EXPOSED,   /* its contents are right, but not its owner, mode or flag */
  LM_VERIFIED_REPAIRED,  /* it was damaged or exposed */
  LM_VERIFIED_REMOVED,   /* somebody has removed it meanwhile */
  LM_VERIFIED_UNCHECKED, /* it could not be read, or others keep changing it */
} LmVerified;

typedef struct
{
  const LmCacheEntry *entry;
  LmVerified result;
  LmScrubResult found;
  gboolean made_here;    /* it was damaged, and this host has made it (ops/only-copy.h) */
  char *reason;          /* why it was not repaired or checked; NULL */
  char *aside;           /* where the damaged file is now; NULL */
  guint depth;           /* layers below it, as far as known; set for a repair */
  const LmLayerUse *use; /* who uses it, if it was damaged; NULL if that is not known */
} LmVerifiedFile;

typedef struct
{
  GPtrArray *entries;  /* LmCacheEntry: all files */
  GPtrArray *files;    /* LmVerifiedFile: those that have been read, in the same order */
  LmLayerNames *names; /* NULL if they are not known */
  LmLayerUsers *users; /* NULL if nothing was damaged, or they are not known */
  gboolean repair;     /* it was asked for */
  guint64 bytes;       /* that have been read */
} LmVerification;

/** lm_verification_new: lists what is in @cache. Errors: those of lm_cache_list(). */
LmVerification *lm_verification_new (const LmHost *host, LmCache *cache, GCancellable *cancellable,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_verification_free: frees @verification; NULL is ignored. */
void lm_verification_free (LmVerification *verification);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmVerification, lm_verification_free)

/** lm_verification_run: reads all files at @rate bytes per second (0: no limit), in a
 * thread that runs when nothing else wants to, and reports that as the progress of a
 * fetch. If @repair, then does lm_repair_file() for those that are damaged. Whatever is found is not
 * an error; see lm_verification_throw(). If this fails, the results so far are there.
 * Blocks. Errors: G_IO_ERROR, also _CANCELLED. */
gboolean lm_verification_run (LmVerification *verification, const LmHost *host, LmCache *cache, guint64 rate, gboolean repair,
                              GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_verification_count: returns the number of files with @result. */
guint lm_verification_count (const LmVerification *verification, LmVerified result);

/** lm_verified_file_to_text: returns "ok", "damaged: its contents do not match its
 * digest; used by machine web1 (running)"; newly allocated. */
char *lm_verified_file_to_text (const LmVerifiedFile *file);

/** lm_verification_throw: if there is damage that was not repaired, or a file could not
 * be checked, sets @error (LM_VERIFICATION_ERROR) and returns FALSE. */
gboolean lm_verification_throw (const LmVerification *verification, GError **error) G_GNUC_WARN_UNUSED_RESULT;
