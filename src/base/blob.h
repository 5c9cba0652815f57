/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A blob: an immutable file named by its digest. What catalogs list, plans
 * need, records remember, and the cache holds. A plain value; it does not know
 * where on this host the file is. */
#include "base/digest.h"

typedef enum
{
  LM_BLOB_LAYER, /* a qcow2 image: a whole disk, or the difference to its parent */
  LM_BLOB_FILE,  /* any other file: kernel, initrd */
  LM_BLOB_N_KINDS
} LmBlobKind;

typedef struct
{
  LmBlobKind kind;
  char *name;          /* what messages call it: the layer's name, "kernel"; may be NULL */
  LmDigest digest;
  gboolean has_parent; /* layers only; FALSE: a base, a whole disk */
  LmDigest parent;     /* valid if has_parent */
  guint64 size;        /* bytes of the file, exact; 0: unknown */
  char **urls;         /* absolute, mirrors in the order to be tried; may be NULL */
} LmBlob;

/** lm_blob_copy: sets @to, whatever it held, to a copy of @from; for a member
 * of another struct. lm_blob_clear() frees what it owns. */
void lm_blob_copy (LmBlob *to, const LmBlob *from);

/** lm_blob_clear: frees what @blob owns and zeroes it, but not @blob itself. */
void lm_blob_clear (LmBlob *blob);

/** lm_blob_dup: a copy, newly allocated; of NULL, NULL. */
LmBlob *lm_blob_dup (const LmBlob *blob);

/** lm_blob_free: frees @blob, which may be NULL. */
void lm_blob_free (LmBlob *blob);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmBlob, lm_blob_free)
