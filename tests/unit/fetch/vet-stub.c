/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lm_image_vet() without images: a file that begins with "HOSTILE" is refused, one
 * that begins with "PARENT <digest>" has that parent, others have none. The size of
 * the disk is the number after "DISK " in the file, otherwise 0. */
#include "config.h"
#include "base/error.h"
#include "image/vet.h"

#include <string.h>

G_DEFINE_QUARK (lm-image-error-quark, lm_image_error)

static guint64
read_disk_size (const char *text, gsize size)
{
  const char *found = g_strstr_len (text, (gssize) MIN (size, 200), "DISK ");
  return found ? g_ascii_strtoull (found + strlen ("DISK "), NULL, 10) : 0;
}

gboolean
lm_image_vet_size (guint64 virtual_size, const char *name, const char *parent_path, GError **error)
{
  g_autofree char *text = NULL;
  gsize size;
  return !g_file_get_contents (parent_path, &text, &size, NULL) || read_disk_size (text, size) <= virtual_size
         || lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED, "%s is smaller", name);
}

gboolean
lm_image_vet (const char *path, const char *name, const LmDigest *parent, guint64 *out_virtual_size,
              GCancellable *cancellable, GError **error)
{
  g_autofree char *text = NULL;
  gsize size;
  g_autofree char *want = parent ? lm_digest_to_string (parent) : g_strdup ("");
  if (!g_file_get_contents (path, &text, &size, error))
    return FALSE;
  if (g_str_has_prefix (text, "HOSTILE"))
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED, "%s is hostile", name);
  gboolean has = g_str_has_prefix (text, "PARENT ");
  if (has != (parent != NULL) || (has && strncmp (text + 7, want, strlen (want)) != 0))
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED, "%s has another parent", name);
  if (out_virtual_size != NULL)
    *out_virtual_size = read_disk_size (text, size);
  return TRUE;
}
