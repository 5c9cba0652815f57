/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A blob: an immutable file named by its digest, such as a layer or a kernel.
 * Catalogs list blobs, plans need them, records refer to them and the cache holds
 * them. LmBlob is a plain value; it does not know where the file is on this host. */
#include "base/digest.h"

/* The maximum size that a catalog or a record may claim. */
#define LM_BLOB_SIZE_MAX (G_GUINT64_CONSTANT (1) << 44)

typedef enum
{
  LM_BLOB_LAYER, /* a qcow2 image: a whole disk, or the difference to its parent */
  LM_BLOB_FILE,  /* any other file: kernel, initrd */
  LM_BLOB_N_KINDS
} LmBlobKind;

typedef struct
{
  LmBlobKind kind;
  char *name;          /* for messages: the layer's name, "kernel"; may be NULL */
  LmDigest digest;
  gboolean has_parent; /* layers only; FALSE for a base, which is a whole disk */
  LmDigest parent;     /* valid if has_parent */
  guint64 size;        /* exact size of the file in bytes; 0 if unknown */
  char **urls;         /* absolute URLs of mirrors, in the order in which to try them; may be NULL */
} LmBlob;

/** lm_blob_copy: frees what @to holds and sets it to a copy of @from. Meant for an
 * LmBlob that is a member of another struct; lm_blob_clear() frees its contents. */
void lm_blob_copy (LmBlob *to, const LmBlob *from);

/** lm_blob_clear: frees what @blob owns and zeroes it; does not free @blob itself. */
void lm_blob_clear (LmBlob *blob);

/** lm_blob_dup: returns a newly allocated copy of @blob; NULL if @blob is NULL. */
LmBlob *lm_blob_dup (const LmBlob *blob);

/** lm_blob_has_same_parent: whether two layers were built on the same parent, or are both bases. */
gboolean lm_blob_has_same_parent (const LmBlob *one, const LmBlob *other);

/** lm_blob_free: frees @blob, which may be NULL. */
void lm_blob_free (LmBlob *blob);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmBlob, lm_blob_free)
