/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* SHA-256 digests, which name layers and other blobs. An LmDigest holds the 32 raw
 * bytes, so every LmDigest is valid. Text is converted to one only by
 * lm_digest_parse(), and file names are built only by lm_digest_file_name().
 * SHA-256 is defined in FIPS 180-4; GnuTLS computes it. */
#include <gio/gio.h>

#define LM_DIGEST_SIZE 32
/* "sha256:" + 64 hex + NUL */
#define LM_DIGEST_STRING_SIZE 72

typedef struct
{
  guint8 bytes[LM_DIGEST_SIZE];
} LmDigest;

typedef enum
{
  LM_DIGEST_ERROR_INVALID, /* not "sha256:" and 64 lower-case hex digits */
} LmDigestError;

#define LM_DIGEST_ERROR lm_digest_error_quark ()
GQuark lm_digest_error_quark (void);

/** lm_digest_parse: parses exactly "sha256:<64 lower-case hex digits>". @text may
 * be NULL, which is invalid. Error: LM_DIGEST_ERROR_INVALID. */
gboolean lm_digest_parse (const char *text, LmDigest *out_digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_digest_format: writes "sha256:<hex>" into @buffer and returns it. */
const char *lm_digest_format (const LmDigest *digest, char buffer[LM_DIGEST_STRING_SIZE]);

/** lm_digest_to_string: returns "sha256:<hex>", newly allocated. */
char *lm_digest_to_string (const LmDigest *digest);

/** lm_digest_file_name: returns "sha256-<hex>" followed by @suffix (NULL for none),
 * newly allocated. No other function builds such a name. */
char *lm_digest_file_name (const LmDigest *digest, const char *suffix);

/** lm_digest_from_file_name: parses a name as lm_digest_file_name() builds it:
 * "sha256-<hex>" followed by exactly @suffix. FALSE if @name does not have that
 * form. */
gboolean lm_digest_from_file_name (const char *name, const char *suffix, LmDigest *out_digest) G_GNUC_WARN_UNUSED_RESULT;

/** lm_digest_get_number: returns the first eight bytes as a number, which is
 * distinct enough for the number of a lock or for a hash table. */
guint64 lm_digest_get_number (const LmDigest *digest);

/** lm_digest_equal: whether @a and @b are the same digest. */
gboolean lm_digest_equal (const LmDigest *a, const LmDigest *b);
/** lm_digest_compare: compares @a and @b bytewise, as memcmp() does. */
int lm_digest_compare (const LmDigest *a, const LmDigest *b);
/* GHashFunc and GEqualFunc for const LmDigest *. */
guint lm_digest_hash (gconstpointer digest);
gboolean lm_digest_equal_func (gconstpointer a, gconstpointer b);

/** lm_digest_of_text: returns the digest of @text without its terminating NUL. */
LmDigest lm_digest_of_text (const char *text);

/** lm_digest_of_fd: reads @fd from its offset to its end and stores the digest of that. Blocks;
 * @cancellable ends it. Errors: G_IO_ERROR. */
gboolean lm_digest_of_fd (int fd, LmDigest *out_digest, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
