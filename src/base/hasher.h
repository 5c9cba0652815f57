/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Computes SHA-256 and, for checksums of others, SHA-512 (FIPS 180-4). The program that runs at each start of a domain has its
 * own implementation, see plugin/hasher.c. */
#include "base/checksum.h"
#include "base/digest.h"

/* An incremental computation. Not thread-safe, but may be handed from one
 * thread to another. */
typedef struct _LmHasher LmHasher;

/** lm_hasher_new: returns a new hasher for SHA-256 that has seen no bytes; never NULL. */
LmHasher *lm_hasher_new (void);
/** lm_hasher_free: frees @hasher; NULL is ignored. */
void lm_hasher_free (LmHasher *hasher);
/** lm_hasher_update: hashes another @size bytes. CPU-bound, does not block. */
void lm_hasher_update (LmHasher *hasher, const void *data, gsize size);
/** lm_hasher_peek: stores the digest of the bytes hashed so far; more may follow. */
void lm_hasher_peek (LmHasher *hasher, LmDigest *out_digest);

/** lm_hasher_new_for: returns a new hasher of the kind @kind; never NULL. */
LmHasher *lm_hasher_new_for (LmChecksumKind kind);
/** lm_hasher_get_checksum: like lm_hasher_peek(), for a hasher of any kind. */
void lm_hasher_get_checksum (LmHasher *hasher, LmChecksum *out_checksum);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmHasher, lm_hasher_free)
