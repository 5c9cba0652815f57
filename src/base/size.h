/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Sizes in bytes as people write them. The units are those of libvirt and
 * virt-install, in upper or lower case: K, KiB, M, MiB, G, GiB, T, TiB are powers
 * of 1024; KB, MB, GB, TB are powers of 1000; B is one byte. */
#include <glib.h>

#define LM_SIZE_BYTE G_GUINT64_CONSTANT (1)
#define LM_SIZE_KIB (G_GUINT64_CONSTANT (1) << 10)
#define LM_SIZE_MIB (G_GUINT64_CONSTANT (1) << 20)
#define LM_SIZE_GIB (G_GUINT64_CONSTANT (1) << 30)

typedef enum
{
  LM_SIZE_ERROR_INVALID, /* not a size, or more than 2^63 - 1 bytes */
} LmSizeError;

#define LM_SIZE_ERROR lm_size_error_quark ()
GQuark lm_size_error_quark (void);

/** lm_size_parse: parses "512MiB", "4G", "1.5 GiB", or a bare number, whose unit is
 * @default_unit (LM_SIZE_MIB for --memory, LM_SIZE_GIB for --disk size=,
 * LM_SIZE_BYTE in catalogs). Fractions of a byte are dropped. @text may be NULL,
 * which is invalid. Error: LM_SIZE_ERROR_INVALID. */
gboolean lm_size_parse (const char *text, guint64 default_unit, guint64 *out_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_size_add: returns the sum of two sizes, but no more than 2^63 - 1, which is more than any
 * file has. Sizes that others state, in catalogs for example, can be so large that their sum
 * would otherwise begin again at 0. */
guint64 lm_size_add (guint64 one, guint64 other);

/** lm_size_format: returns @bytes in a form for people: "999 B", "1.5 KiB", "348.9
 * MiB". Newly allocated. */
char *lm_size_format (guint64 bytes);
