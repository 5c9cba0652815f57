/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/check.h"
#include "base/error.h"
#include "fetch/error.h"
#include "image/vet.h"

gboolean
lm_fetch_check (const LmBlob *blob, const char *path, const LmDigest *got, const char *hint, guint64 *out_virtual_size,
                GCancellable *cancellable, GError **error)
{
  char want_text[LM_DIGEST_STRING_SIZE], got_text[LM_DIGEST_STRING_SIZE];
  if (!lm_digest_equal (got, &blob->digest))
    return lm_throw (error, LM_FETCH_ERROR, LM_FETCH_ERROR_DIGEST, "wrong digest: expected %s, got %s%s",
                     lm_digest_format (&blob->digest, want_text), lm_digest_format (got, got_text), hint);
  return blob->kind != LM_BLOB_LAYER
         || lm_image_vet (path, "the file", blob->has_parent ? &blob->parent : NULL, out_virtual_size, cancellable, error);
}
