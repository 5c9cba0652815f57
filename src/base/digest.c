/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/hasher.h"

#include <string.h>

G_DEFINE_QUARK (lm-digest-error-quark, lm_digest_error)

#define PREFIX "sha256:"
#define FILE_PREFIX "sha256-"
#define HEX_LENGTH (2 * LM_DIGEST_SIZE)

/* A table, because catalogs hold hundreds of thousands of digests. */
#define IS_HEX 16
static const guint8 hex_values[256] = {
  ['0'] = IS_HEX, IS_HEX + 1, IS_HEX + 2, IS_HEX + 3, IS_HEX + 4, IS_HEX + 5, IS_HEX + 6, IS_HEX + 7, IS_HEX + 8, IS_HEX + 9,
  ['a'] = IS_HEX + 10, IS_HEX + 11, IS_HEX + 12, IS_HEX + 13, IS_HEX + 14, IS_HEX + 15,
};

/* Stops at the first byte that is not a hex digit, so a shorter string is never
 * read past its end. */
static gboolean
parse_hex (const char *hex, LmDigest *out_digest)
{
  LmDigest digest;
  for (gsize i = 0; i < LM_DIGEST_SIZE; i++)
    {
      guint high = hex_values[(guint8) hex[2 * i]];
      guint low = high != 0 ? hex_values[(guint8) hex[2 * i + 1]] : 0;
      if (low == 0)
        return FALSE;
      digest.bytes[i] = (guint8) ((high - IS_HEX) << 4 | (low - IS_HEX));
    }
  *out_digest = digest;
  return TRUE;
}

static void
format_hex (const LmDigest *digest, char *out)
{
  static const char digits[] = "0123456789abcdef";
  for (gsize i = 0; i < LM_DIGEST_SIZE; i++)
    {
      out[2 * i] = digits[digest->bytes[i] >> 4];
      out[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
  out[HEX_LENGTH] = '\0';
}

gboolean
lm_digest_parse (const char *text, LmDigest *out_digest, GError **error)
{
  if (text != NULL && g_str_has_prefix (text, PREFIX))
    {
      const char *hex = text + strlen (PREFIX);
      if (parse_hex (hex, out_digest) && hex[HEX_LENGTH] == '\0')
        return TRUE;
    }
  g_autofree char *shown = g_strndup (text ? text : "", 100);
  g_autofree char *safe = g_strescape (shown, NULL);
  return lm_throw (error, LM_DIGEST_ERROR, LM_DIGEST_ERROR_INVALID,
                   "\"%s\" is not a digest (expected \"sha256:\" and 64 lower-case hex digits)", safe);
}

const char *
lm_digest_format (const LmDigest *digest, char buffer[LM_DIGEST_STRING_SIZE])
{
  memcpy (buffer, PREFIX, strlen (PREFIX));
  format_hex (digest, buffer + strlen (PREFIX));
  return buffer;
}

char *
lm_digest_to_string (const LmDigest *digest)
{
  return g_strdup (lm_digest_format (digest, (char[LM_DIGEST_STRING_SIZE]){ 0 }));
}

char *
lm_digest_file_name (const LmDigest *digest, const char *suffix)
{
  char hex[HEX_LENGTH + 1];
  format_hex (digest, hex);
  return g_strconcat (FILE_PREFIX, hex, suffix, NULL);
}

gboolean
lm_digest_from_file_name (const char *name, const char *suffix, LmDigest *out_digest)
{
  LmDigest digest;
  if (!g_str_has_prefix (name, FILE_PREFIX) || !parse_hex (name + strlen (FILE_PREFIX), &digest)
      || strcmp (name + strlen (FILE_PREFIX) + HEX_LENGTH, suffix ? suffix : "") != 0)
    return FALSE;
  *out_digest = digest;
  return TRUE;
}

guint64
lm_digest_get_number (const LmDigest *digest)
{
  guint64 number;
  memcpy (&number, digest->bytes, sizeof number);
  return GUINT64_FROM_BE (number);
}

int
lm_digest_compare (const LmDigest *a, const LmDigest *b)
{
  return memcmp (a->bytes, b->bytes, LM_DIGEST_SIZE);
}

gboolean
lm_digest_equal (const LmDigest *a, const LmDigest *b)
{
  return lm_digest_compare (a, b) == 0;
}

guint
lm_digest_hash (gconstpointer digest)
{
  guint hash;
  memcpy (&hash, ((const LmDigest *) digest)->bytes, sizeof hash);
  return hash;
}

gboolean
lm_digest_equal_func (gconstpointer a, gconstpointer b)
{
  return lm_digest_equal (a, b);
}

LmDigest
lm_digest_of_text (const char *text)
{
  LmDigest digest;
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  lm_hasher_update (hasher, text, strlen (text));
  lm_hasher_peek (hasher, &digest);
  return digest;
}

static gboolean
hash_block (gpointer data, const void *block, gsize size, GError **error)
{
  lm_hasher_update (data, block, size);
  return TRUE;
}

gboolean
lm_digest_of_fd (int fd, LmDigest *out_digest, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  if (!lm_fd_read_blocks (fd, hash_block, hasher, cancellable, error))
    return FALSE;
  lm_hasher_peek (hasher, out_digest);
  return TRUE;
}
