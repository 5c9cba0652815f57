/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/standalone.h"
#include "base/error.h"
#include "base/json-value.h"
#include "io/run.h"

#include <string.h>

/* It reads the tables of all images, and writes what they have. The memory is that of image/vet.c. */
static const LmRunLimits measure_limits = { .cpu_seconds = 300, .memory = G_GUINT64_CONSTANT (2) << 30, .time_seconds = 900 };
static const LmRunLimits write_limits = { .cpu_seconds = 3600, .memory = G_GUINT64_CONSTANT (2) << 30, .time_seconds = 4 * 3600 };

gboolean
lm_standalone_measure (const char *path, guint64 *out_size, GCancellable *cancellable, GError **error)
{
  /* For a raw image qemu-img says the size of the disk. */
  const char *const argv[] = { "qemu-img", "measure", "-f", "qcow2", "-O", "qcow2", "--output=json", "--", path, NULL };
  g_autofree char *text = NULL;
  if (!lm_run (argv, &measure_limits, &text, cancellable, error))
    return FALSE;
  g_autoptr (LmJson) json = lm_json_parse (text, strlen (text), NULL);
  const LmJsonValue *root = json != NULL ? lm_json_get_root (json) : NULL;
  const gint64 size = lm_json_is_object (root) ? lm_json_get_int (root, "required", -1) : -1;
  if (size < 0)
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED, "cannot read %s: the output of qemu-img is not valid", path);
  *out_size = (guint64) size;
  return TRUE;
}

gboolean
lm_standalone_write (const char *path, LmStandaloneFormat format, const char *to, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (g_path_is_absolute (path) && g_path_is_absolute (to), FALSE);
  static const char *const formats[] = { [LM_STANDALONE_QCOW2] = "qcow2", [LM_STANDALONE_RAW] = "raw" };
  const char *const argv[] = { "qemu-img", "convert", "-f", "qcow2", "-O", formats[format], "--", path, to, NULL };
  return lm_run (argv, &write_limits, NULL, cancellable, error);
}
