/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Amounts of bytes as people write them. Units as libvirt and virt-install
 * have them, in either case: K, KiB, M, MiB, G, GiB, T, TiB are powers of
 * 1024; KB, MB, GB, TB powers of 1000; B is one byte. */
#include <glib.h>

#define LM_SIZE_BYTE G_GUINT64_CONSTANT (1)
#define LM_SIZE_KIB (G_GUINT64_CONSTANT (1) << 10)
#define LM_SIZE_MIB (G_GUINT64_CONSTANT (1) << 20)
#define LM_SIZE_GIB (G_GUINT64_CONSTANT (1) << 30)

typedef enum
{
  LM_SIZE_ERROR_INVALID, /* not a size, or beyond 2^63 - 1 bytes */
} LmSizeError;

#define LM_SIZE_ERROR lm_size_error_quark ()
GQuark lm_size_error_quark (void);

/** lm_size_parse: reads "512MiB", "4G", "1.5 GiB" or a bare number, which
 * counts in @default_unit bytes (LM_SIZE_MIB for --memory, LM_SIZE_GIB for
 * --disk size=, LM_SIZE_BYTE in catalogs). Fractions are rounded down to
 * bytes. @text may be NULL (invalid). */
gboolean lm_size_parse (const char *text, guint64 default_unit, guint64 *out_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_size_format: @bytes for people, as "999 B", "1.5 KiB", "348.9 MiB"; newly allocated. */
char *lm_size_format (guint64 bytes);
