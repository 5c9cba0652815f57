/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/hasher.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

struct _LmHasher
{
  gnutls_hash_hd_t handle;
  LmChecksumKind kind;
};

LmHasher *
lm_hasher_new_for (LmChecksumKind kind)
{
  LmHasher *hasher = g_new0 (LmHasher, 1);
  hasher->kind = kind;
  int rc = gnutls_hash_init (&hasher->handle, kind == LM_CHECKSUM_SHA512 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256);
  if (rc < 0)
    g_error ("GnuTLS cannot compute SHA-256 or SHA-512: %s", gnutls_strerror (rc));
  return hasher;
}

LmHasher *
lm_hasher_new (void)
{
  return lm_hasher_new_for (LM_CHECKSUM_SHA256);
}

void
lm_hasher_free (LmHasher *hasher)
{
  if (hasher == NULL)
    return;
  gnutls_hash_deinit (hasher->handle, NULL);
  g_free (hasher);
}

void
lm_hasher_update (LmHasher *hasher, const void *data, gsize size)
{
  int rc = size == 0 ? 0 : gnutls_hash (hasher->handle, data, size);
  if (rc < 0)
    g_error ("GnuTLS failed to hash: %s", gnutls_strerror (rc));
}

static void
peek_bytes (LmHasher *hasher, guint8 *out_bytes)
{
  gnutls_hash_hd_t copy = gnutls_hash_copy (hasher->handle);
  if (copy == NULL)
    g_error ("GnuTLS cannot copy the state of a hash");
  gnutls_hash_deinit (copy, out_bytes);
}

void
lm_hasher_peek (LmHasher *hasher, LmDigest *out_digest)
{
  g_assert (hasher->kind == LM_CHECKSUM_SHA256);
  peek_bytes (hasher, out_digest->bytes);
}

void
lm_hasher_get_checksum (LmHasher *hasher, LmChecksum *out_checksum)
{
  *out_checksum = (LmChecksum){ .kind = hasher->kind };
  peek_bytes (hasher, out_checksum->bytes);
}
