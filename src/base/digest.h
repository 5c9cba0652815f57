/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* SHA-256 digests: the names of layers and blobs. An LmDigest holds 32 raw
 * bytes, so a value that exists is valid by construction; text becomes one
 * only through lm_digest_parse(), and a file name is built from one only in
 * lm_digest_file_name(). SHA-256: FIPS 180-4, computed by GnuTLS. */
#include <glib.h>

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

/** lm_digest_parse: reads exactly "sha256:<64 lower-case hex>".
 * Error: LM_DIGEST_ERROR_INVALID. @text may be NULL (invalid). */
gboolean lm_digest_parse (const char *text, LmDigest *out_digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_digest_format: writes "sha256:<hex>" into @buffer and returns it. */
const char *lm_digest_format (const LmDigest *digest, char buffer[LM_DIGEST_STRING_SIZE]);

/** lm_digest_to_string: the same, newly allocated. */
char *lm_digest_to_string (const LmDigest *digest);

/** lm_digest_file_name: "sha256-<hex>" followed by @suffix (NULL: none),
 * newly allocated. The only place that builds such a name. */
char *lm_digest_file_name (const LmDigest *digest, const char *suffix);

/** lm_digest_from_file_name: the digest that @name ("sha256-<hex>", then
 * exactly @suffix) stands for; FALSE when the name is of another form. */
gboolean lm_digest_from_file_name (const char *name, const char *suffix, LmDigest *out_digest) G_GNUC_WARN_UNUSED_RESULT;

/** lm_digest_get_number: its first eight bytes, as a number that tells digests
 * apart well enough for a lock, or a hash table. */
guint64 lm_digest_get_number (const LmDigest *digest);

gboolean lm_digest_equal (const LmDigest *a, const LmDigest *b);
int lm_digest_compare (const LmDigest *a, const LmDigest *b);
/* GHashFunc/GEqualFunc over const LmDigest *. */
guint lm_digest_hash (gconstpointer digest);
gboolean lm_digest_equal_func (gconstpointer a, gconstpointer b);

/* An incremental computation. Not thread safe; may move between threads. */
typedef struct _LmHasher LmHasher;

/** lm_hasher_new: a hasher over no bytes yet; never NULL. */
LmHasher *lm_hasher_new (void);
void lm_hasher_free (LmHasher *hasher);
/** lm_hasher_update: adds @size bytes. CPU-bound, does not block. */
void lm_hasher_update (LmHasher *hasher, const void *data, gsize size);
/** lm_hasher_peek: the digest of the bytes so far; more may be added after. */
void lm_hasher_peek (LmHasher *hasher, LmDigest *out_digest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmHasher, lm_hasher_free)

/** lm_digest_of_text: of the bytes of @text without its NUL. */
LmDigest lm_digest_of_text (const char *text);
