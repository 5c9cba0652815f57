/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a run has found out about files of the cache by reading them. Several LmCache
 * of one run share it, so that each file is read only once, also where the result
 * cannot be kept for later runs. May be used by several threads. */
#include "base/blob.h"
#include "base/identity.h"

typedef struct _LmFindings LmFindings;

/** lm_findings_new: nothing is known yet. */
LmFindings *lm_findings_new (void);
LmFindings *lm_findings_ref (LmFindings *findings);
/** lm_findings_unref: NULL is ignored. */
void lm_findings_unref (LmFindings *findings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmFindings, lm_findings_unref)

typedef struct
{
  LmIdentity identity; /* of the file when it was read */
  gboolean settled;    /* lm_identity_is_settled() of its mtime, before that */
  gboolean good;       /* its contents match the digest */
} LmFinding;

/** lm_findings_note: what was found in the file of @kind that is named @digest. */
void lm_findings_note (LmFindings *findings, LmBlobKind kind, const LmDigest *digest, const LmFinding *finding);

/** lm_findings_get: what was noted last about that file; FALSE if it was not read. */
gboolean lm_findings_get (LmFindings *findings, LmBlobKind kind, const LmDigest *digest, LmFinding *out_finding);
