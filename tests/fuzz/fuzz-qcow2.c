/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Input: the beginning of a file that claims to be a qcow2 layer. */
#include "config.h"
#include "fuzz.h"
#include "image/qcow2.h"

#include <string.h>

static void
check (const LmQcow2Header *header, guint64 file_size, const LmDigest *parent)
{
  g_autoptr (GError) error = NULL;
  if (!lm_qcow2_check_layer (header, file_size, parent, &error))
    {
      g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return;
    }
  g_autofree char *name = parent != NULL ? lm_digest_file_name (parent, ".qcow2") : g_strdup ("");
  g_assert_cmpstr (header->backing_name, ==, name);
  g_assert_cmpuint (header->crypt_method, ==, 0);
  g_assert_cmpuint (header->nb_snapshots, ==, 0);
  g_assert_cmpuint (header->incompatible_features & 7, ==, 0);
  g_assert_cmpuint (header->virtual_size, <=, LM_QCOW2_VIRTUAL_SIZE_MAX);
  g_assert_cmpuint (header->l1_table_offset, <, file_size);
  g_assert_cmpuint (header->l1_size, <=, file_size / 8);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  /* As a complete file, and as the beginning of a large one. */
  const guint64 file_sizes[] = { size, G_GUINT64_CONSTANT (1) << 40 };
  static const LmDigest zero = { { 0 } };
  for (gsize i = 0; i < G_N_ELEMENTS (file_sizes); i++)
    {
      LmQcow2Header header;
      g_autoptr (GError) error = NULL;
      if (!lm_qcow2_parse (data, MIN (size, LM_QCOW2_HEADER_MAX), file_sizes[i], &header, &error))
        {
          g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
          continue;
        }
      g_assert_cmpuint (strlen (header.backing_name), <=, LM_QCOW2_NAME_MAX);
      check (&header, file_sizes[i], NULL);
      check (&header, file_sizes[i], &zero);
    }
  return 0;
}
