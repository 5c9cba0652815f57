/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Checksums of files as publishers give them: "sha256:<hex>", "sha512:<hex>", or a list
 * such as SHA256SUMS. Pure. What names a file of lamina is an LmDigest (digest.h). */
#include <glib.h>

typedef enum
{
  LM_CHECKSUM_SHA256,
  LM_CHECKSUM_SHA512,
} LmChecksumKind;

#define LM_CHECKSUM_SIZE_MAX 64

typedef struct
{
  LmChecksumKind kind;
  guint8 bytes[LM_CHECKSUM_SIZE_MAX]; /* 32 or 64 of them */
} LmChecksum;

typedef enum
{
  LM_CHECKSUM_ERROR_INVALID,    /* not of the form sha256:<hex> or sha512:<hex> */
  LM_CHECKSUM_ERROR_NOT_LISTED, /* a list does not have the file, or has it twice with different checksums */
} LmChecksumError;

#define LM_CHECKSUM_ERROR lm_checksum_error_quark ()
GQuark lm_checksum_error_quark (void);

/** lm_checksum_parse: parses "sha256:<64 hex digits>" or "sha512:<128 hex digits>".
 * Errors: LM_CHECKSUM_ERROR_INVALID. */
gboolean lm_checksum_parse (const char *text, LmChecksum *out_checksum, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_checksum_is_meant: whether @text is meant to be a checksum and not the name of a list: it
 * is empty, begins with the name of a kind ("sha256:", "md5:") or consists of as many hexadecimal
 * digits as a checksum. lm_checksum_parse() may refuse it, and then says what to write. */
gboolean lm_checksum_is_meant (const char *text);

/** lm_checksum_find: finds the checksum of the file called @name in the @size bytes of a list
 * at @text, which is untrusted. Lines have the form "HASH  NAME", "HASH *NAME" or "SHA256 (NAME)
 * = HASH"; others, such as those of a signature, are ignored. If the file has both kinds, SHA-512
 * counts. A list that consists of one checksum without a name is that of any file. Messages call
 * it @shown. Errors: LM_CHECKSUM_ERROR_NOT_LISTED. */
gboolean lm_checksum_find (const char *text, gsize size, const char *name, const char *shown, LmChecksum *out_checksum,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_checksum_equal: whether both are the same. */
gboolean lm_checksum_equal (const LmChecksum *one, const LmChecksum *other);

/** lm_checksum_to_string: returns "sha256:<hex>" or "sha512:<hex>"; newly allocated. */
char *lm_checksum_to_string (const LmChecksum *checksum);
