/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/vet.h"
#include "base/error.h"
#include "base/json-value.h"
#include "image/qcow2.h"
#include "io/run.h"

#include <string.h>

/* The limits that Nova uses for qemu-img (CVE-2015-5162). */
static const LmRunLimits limits = { .cpu_seconds = 30, .memory = G_GUINT64_CONSTANT (2) << 30, .time_seconds = 120 };

static gboolean G_GNUC_PRINTF (3, 4)
throw_disagreement (GError **error, const char *name, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED, "%s is refused as a layer: qemu-img says that %s",
                   name, text);
}

/* Checks that qemu-img found the same as lamina's own check. */
static gboolean
compare_with_qemu_img (const LmJsonValue *info, const LmQcow2Header *header, const char *name, GError **error)
{
  const char *backing = *header->backing_name != '\0' ? header->backing_name : NULL;
  if (g_strcmp0 (lm_json_get_string (info, "format"), "qcow2") != 0)
    return throw_disagreement (error, name, "its format is not qcow2");
  if (lm_json_get_int (info, "virtual-size", -1) != (gint64) header->virtual_size)
    return throw_disagreement (error, name, "its size is %" G_GINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT,
                               lm_json_get_int (info, "virtual-size", -1), header->virtual_size);
  if (lm_json_get_int (info, "cluster-size", -1) != (gint64) 1 << header->cluster_bits)
    return throw_disagreement (error, name, "its clusters have %" G_GINT64_FORMAT " bytes",
                               lm_json_get_int (info, "cluster-size", -1));
  if (g_strcmp0 (lm_json_get_string (info, "backing-filename"), backing) != 0
      || g_strcmp0 (lm_json_get_string (info, "backing-filename-format"), backing == NULL ? NULL : "qcow2") != 0)
    return throw_disagreement (error, name, "its backing file is a different one");

  static const char *const unwanted[] = { "encrypted", "snapshots", "dirty-flag" };
  for (gsize i = 0; i < G_N_ELEMENTS (unwanted); i++)
    if (lm_json_is_set (lm_json_get_member (info, unwanted[i])))
      return throw_disagreement (error, name, "it has \"%s\"", unwanted[i]);
  const LmJsonValue *data = lm_json_get_member (lm_json_get_member (info, "format-specific"), "data");
  if (!lm_json_is_object (data))
    return throw_disagreement (error, name, "it has no details");
  static const char *const unwanted_data[] = { "data-file", "data-file-raw", "encrypt", "corrupt", "bitmaps" };
  for (gsize i = 0; i < G_N_ELEMENTS (unwanted_data); i++)
    if (lm_json_is_set (lm_json_get_member (data, unwanted_data[i])))
      return throw_disagreement (error, name, "it has \"%s\"", unwanted_data[i]);
  if (lm_json_is_set (lm_json_get_member (data, "extended-l2")) != lm_qcow2_has_extended_l2 (header))
    return throw_disagreement (error, name, "its L2 entries have another format");
  return TRUE;
}

static gboolean
run_qemu_img_info (const char *path, const char *name, const LmQcow2Header *header, GCancellable *cancellable,
              GError **error)
{
  /* Absolute, because "json:..." and "nbd:..." as names have a meaning for QEMU. */
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  const char *const argv[] = { "qemu-img", "info", "-f", "qcow2", "--output=json", "--", absolute, NULL };
  g_autofree char *text = NULL;
  g_autoptr (GError) failure = NULL;
  if (!lm_run (argv, &limits, &text, cancellable, &failure))
    {
      /* qemu-img refused the image only if it ended by itself and did not lack a
       * resource of this host. Excessive output is the fault of the image too. */
      if (g_error_matches (failure, LM_RUN_ERROR, LM_RUN_ERROR_STATUS)
          || g_error_matches (failure, LM_RUN_ERROR, LM_RUN_ERROR_OUTPUT))
        return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED, "%s is refused as a layer: %s", name,
                         failure->message);
      if (failure->domain != LM_RUN_ERROR || failure->code == LM_RUN_ERROR_NO_SPACE)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED, "cannot check %s: %s", name, failure->message);
    }
  g_autoptr (LmJson) json = lm_json_parse (text, strlen (text), &failure);
  if (json == NULL)
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED,
                     "cannot check %s: the output of qemu-img is not valid: %s", name, failure->message);
  const LmJsonValue *root = lm_json_get_root (json);
  if (!lm_json_is_object (root))
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED,
                     "cannot check %s: the output of qemu-img is not a JSON object", name);
  return compare_with_qemu_img (root, header, name, error);
}

gboolean
lm_image_vet (const char *path, const char *name, const LmDigest *parent, guint64 *out_virtual_size,
              GCancellable *cancellable, GError **error)
{
  LmQcow2Header header;
  guint64 file_size;
  g_autoptr (GError) failure = NULL;
  if (!lm_qcow2_read_content (path, &header, &file_size, &failure)
      || !lm_qcow2_check_layer (&header, file_size, parent, &failure))
    {
      gboolean refused = g_error_matches (failure, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED);
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), refused ? "%s is refused as a layer: " : "%s: ",
                                  name);
      return FALSE;
    }
  if (!run_qemu_img_info (path, name, &header, cancellable, error))
    return FALSE;
  if (out_virtual_size != NULL)
    *out_virtual_size = header.virtual_size;
  return TRUE;
}

gboolean
lm_image_vet_size (guint64 virtual_size, const char *name, const char *parent_path, GError **error)
{
  LmQcow2Header parent;
  g_autoptr (GError) failure = NULL;
  if (!lm_qcow2_read (parent_path, &parent, NULL, &failure))
    {
      if (failure->domain == LM_IMAGE_ERROR || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (virtual_size >= parent.virtual_size)
    return TRUE;
  return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED,
                   "%s is refused as a layer: its disk has %" G_GUINT64_FORMAT " bytes, but that of its parent has %"
                   G_GUINT64_FORMAT ", so data would be lost; it must be built again",
                   name, virtual_size, parent.virtual_size);
}
