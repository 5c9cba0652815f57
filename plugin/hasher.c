/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/hasher.h with Nettle. It hashes a tenth slower than GnuTLS, but is loaded in 0.1 ms
 * instead of 5 ms, and qemu-prepare runs at each start and hashes only what has changed. */
#include "config.h"
#include "base/hasher.h"

#include <nettle/sha2.h>

struct _LmHasher
{
  struct sha256_ctx state;
};

G_STATIC_ASSERT (LM_DIGEST_SIZE == SHA256_DIGEST_SIZE);

LmHasher *
lm_hasher_new (void)
{
  LmHasher *hasher = g_new0 (LmHasher, 1);
  sha256_init (&hasher->state);
  return hasher;
}

void
lm_hasher_free (LmHasher *hasher)
{
  g_free (hasher);
}

void
lm_hasher_update (LmHasher *hasher, const void *data, gsize size)
{
  sha256_update (&hasher->state, size, data);
}

void
lm_hasher_peek (LmHasher *hasher, LmDigest *out_digest)
{
  struct sha256_ctx copy = hasher->state;
  sha256_digest (&copy, sizeof out_digest->bytes, out_digest->bytes);
}
