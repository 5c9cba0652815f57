/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/blob.h"

void
lm_blob_copy (LmBlob *to, const LmBlob *from)
{
  *to = *from;
  to->name = g_strdup (from->name);
  to->urls = g_strdupv (from->urls);
}

void
lm_blob_clear (LmBlob *blob)
{
  g_free (blob->name);
  g_strfreev (blob->urls);
  *blob = (LmBlob){ 0 };
}

LmBlob *
lm_blob_dup (const LmBlob *blob)
{
  if (blob == NULL)
    return NULL;
  LmBlob *copy = g_new0 (LmBlob, 1);
  lm_blob_copy (copy, blob);
  return copy;
}

void
lm_blob_free (LmBlob *blob)
{
  if (blob == NULL)
    return;
  lm_blob_clear (blob);
  g_free (blob);
}

gboolean
lm_blob_has_same_parent (const LmBlob *one, const LmBlob *other)
{
  return one->has_parent == other->has_parent && (!one->has_parent || lm_digest_equal (&one->parent, &other->parent));
}
