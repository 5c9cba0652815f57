/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Collects garbage: removes from the cache what ops/collect-plan.h chooses, and what
 * killed runs left. Before each deletion, and under the lock that keeps new needs of
 * lamina out, it checks that nothing has changed since the users were determined;
 * domains, which others can define at any time, are asked again if the answer is
 * older than two seconds. Processes may be killed at any point, and any number of
 * them may collect, pull and launch at the same time. */
#include "ops/collect-plan.h"

typedef enum
{
  LM_COLLECT_ERROR_NO_SPACE, /* the limits cannot be reached */
  LM_COLLECT_ERROR_UNKNOWN,  /* likewise, because somebody who might use the files cannot be asked */
  LM_COLLECT_ERROR_BUSY,     /* others keep changing the machines */
} LmCollectError;

#define LM_COLLECT_ERROR lm_collect_error_quark ()
GQuark lm_collect_error_quark (void);

/* What was removed or, in a dry run, would be; exactly one of the pointers is set. */
typedef struct
{
  const LmCollectItem *item;    /* a layer or blob */
  const LmPartialEntry *part;   /* an incomplete file that nobody continues */
  const LmQuarantineEntry *damaged; /* a damaged file that was set aside */
  const LmOrphan *orphan;       /* a machine whose domain is gone, with its disk */
  const char *lock;             /* path of a lock that nobody needs */
} LmCollectRemoval;

typedef void (*LmCollectFunc) (gpointer data, const LmCollectRemoval *removal);

/** lm_collect_run: removes orphans (if @limits says so), debris, and files until the
 * limits hold, as far as possible. Calls @removed for each. Machines that cannot be
 * removed cause a warning. Returns the last plan, in which size is what remains, also if the limits cannot be
 * reached (see its member missing and lm_collect_throw()). Blocks. Errors: those of
 * lm_collect_plan_new(), LM_COLLECT_ERROR_BUSY, LM_LOCK_ERROR, LM_VIRT_ERROR,
 * G_IO_ERROR. */
LmCollectPlan *lm_collect_run (const LmHost *host, LmVirt *virt, LmCache *cache, const LmCollectLimits *limits,
                               LmCollectFunc removed, gpointer data, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_collect_dry_run: calls @removed for what lm_collect_run() would remove, apart
 * from the debris of killed launches; changes nothing. */
void lm_collect_dry_run (const LmHost *host, const LmCollectPlan *plan, const LmCollectLimits *limits, LmCollectFunc removed,
                         gpointer data);

/** lm_collect_throw: if @plan could not reach @limits, sets @error to
 * LM_COLLECT_ERROR_NO_SPACE or _UNKNOWN, with what occupies the space or who cannot
 * be asked, and returns FALSE. */
gboolean lm_collect_throw (const LmCollectPlan *plan, const LmCollectLimits *limits, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_collect_get_limits: returns the limits that the settings of @host give. */
LmCollectLimits lm_collect_get_limits (const LmHost *host);
