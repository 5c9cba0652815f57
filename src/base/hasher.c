/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/hasher.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

struct _LmHasher
{
  gnutls_hash_hd_t handle;
};

LmHasher *
lm_hasher_new (void)
{
  LmHasher *hasher = g_new0 (LmHasher, 1);
  int rc = gnutls_hash_init (&hasher->handle, GNUTLS_DIG_SHA256);
  if (rc < 0)
    g_error ("GnuTLS cannot compute SHA-256: %s", gnutls_strerror (rc));
  return hasher;
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

void
lm_hasher_peek (LmHasher *hasher, LmDigest *out_digest)
{
  gnutls_hash_hd_t copy = gnutls_hash_copy (hasher->handle);
  if (copy == NULL)
    g_error ("GnuTLS cannot copy a SHA-256 state");
  gnutls_hash_deinit (copy, out_digest->bytes);
}
