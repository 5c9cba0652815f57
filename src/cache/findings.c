/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/findings.h"

typedef struct
{
  LmDigest digest;
  LmFinding finding;
} Entry;

struct _LmFindings
{
  gatomicrefcount references;
  GMutex lock;                            /* protects the tables */
  GHashTable *by_digest[LM_BLOB_N_KINDS]; /* LmDigest to Entry */
};

LmFindings *
lm_findings_new (void)
{
  LmFindings *findings = g_new0 (LmFindings, 1);
  g_atomic_ref_count_init (&findings->references);
  g_mutex_init (&findings->lock);
  for (gsize i = 0; i < LM_BLOB_N_KINDS; i++)
    findings->by_digest[i] = g_hash_table_new_full (lm_digest_hash, lm_digest_equal_func, NULL, g_free);
  return findings;
}

LmFindings *
lm_findings_ref (LmFindings *findings)
{
  g_atomic_ref_count_inc (&findings->references);
  return findings;
}

void
lm_findings_unref (LmFindings *findings)
{
  if (findings == NULL || !g_atomic_ref_count_dec (&findings->references))
    return;
  for (gsize i = 0; i < LM_BLOB_N_KINDS; i++)
    g_hash_table_unref (findings->by_digest[i]);
  g_mutex_clear (&findings->lock);
  g_free (findings);
}

void
lm_findings_note (LmFindings *findings, LmBlobKind kind, const LmDigest *digest, const LmFinding *finding)
{
  Entry *entry = g_new (Entry, 1);
  *entry = (Entry){ *digest, *finding };
  g_mutex_lock (&findings->lock);
  g_hash_table_replace (findings->by_digest[kind], &entry->digest, entry);
  g_mutex_unlock (&findings->lock);
}

gboolean
lm_findings_get (LmFindings *findings, LmBlobKind kind, const LmDigest *digest, LmFinding *out_finding)
{
  g_mutex_lock (&findings->lock);
  const Entry *entry = g_hash_table_lookup (findings->by_digest[kind], digest);
  if (entry != NULL)
    *out_finding = entry->finding;
  g_mutex_unlock (&findings->lock);
  return entry != NULL;
}
