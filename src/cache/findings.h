/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which files of the cache this run has read, and whether their contents matched
 * their digests. All LmCache of a run share one, so that a file is read only once,
 * even if the result cannot be kept for later runs. Can be used by several threads. */
#include "base/blob.h"
#include "base/identity.h"

typedef struct _LmFindings LmFindings;

/** lm_findings_new: returns an empty set; never NULL. */
LmFindings *lm_findings_new (void);
/** lm_findings_ref: adds a reference to @findings and returns it. */
LmFindings *lm_findings_ref (LmFindings *findings);
/** lm_findings_unref: releases a reference to @findings; NULL is ignored. */
void lm_findings_unref (LmFindings *findings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmFindings, lm_findings_unref)

/* What reading a file showed. */
typedef struct
{
  LmIdentity identity; /* of the file when it was read */
  gboolean settled;    /* any change since then shows in the identity */
  gboolean good;       /* its contents match the digest */
} LmFinding;

/** lm_findings_note: records @finding about the file of @kind that is named @digest. */
void lm_findings_note (LmFindings *findings, LmBlobKind kind, const LmDigest *digest, const LmFinding *finding);

/** lm_findings_get: gets what was recorded last about that file; FALSE if it was not read. */
gboolean lm_findings_get (LmFindings *findings, LmBlobKind kind, const LmDigest *digest, LmFinding *out_finding);
