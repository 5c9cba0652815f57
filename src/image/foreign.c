/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/foreign.h"
#include "base/content.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/json-value.h"
#include "image/qcow2.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define SECTOR 512
/* Where the superblock of btrfs has its magic, the last of those that are looked for. */
#define HEAD_SIZE (68 * 1024)

/* qemu-img reads the tables of the image, or all of it; the memory is that of image/vet.c. */
static const LmRunLimits table_limits = { .cpu_seconds = 300, .memory = G_GUINT64_CONSTANT (2) << 30, .time_seconds = 900 };
static const LmRunLimits copy_limits = { .cpu_seconds = 3600, .memory = G_GUINT64_CONSTANT (2) << 30, .time_seconds = 4 * 3600 };

static const struct
{
  gsize offset;
  const char *magic;
  gsize size;
} disks[] = {
  { 510, "\x55\xaa", 2 },         /* a partition table */
  { 512, "EFI PART", 8 },
  { 1080, "\x53\xef", 2 },        /* ext2, ext3, ext4 */
  { 0, "XFSB", 4 },
  { 65600, "_BHRfS_M", 8 },       /* btrfs */
};

static gboolean
refuse_image (GError **error, const char *name, const char *why)
{
  return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED, "%s is refused as a layer: %s", name, why);
}

/* Runs qemu-img; what it finds wrong with the image is the fault of the image. */
static gboolean
run_qemu_img (const char *const *argv, const LmRunLimits *limits, const char *name, char **out_text, GCancellable *cancellable,
              GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (lm_run (argv, limits, out_text, cancellable, &failure))
    return TRUE;
  if (g_error_matches (failure, LM_RUN_ERROR, LM_RUN_ERROR_STATUS) || g_error_matches (failure, LM_RUN_ERROR, LM_RUN_ERROR_OUTPUT))
    return refuse_image (error, name, failure->message);
  if (failure->domain == LM_RUN_ERROR && failure->code != LM_RUN_ERROR_NO_SPACE)
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED, "cannot read %s: %s", name, failure->message);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Runs qemu-img and gets the number @key of its JSON output; 0 if it is not there. */
static gboolean
ask_qemu_img (const char *const *argv, const char *name, const char *key, guint64 *out_value, GCancellable *cancellable,
              GError **error)
{
  g_autofree char *text = NULL;
  if (!run_qemu_img (argv, &table_limits, name, &text, cancellable, error))
    return FALSE;
  g_autoptr (LmJson) json = lm_json_parse (text, strlen (text), NULL);
  const LmJsonValue *root = json != NULL ? lm_json_get_root (json) : NULL;
  const gint64 value = lm_json_is_object (root) ? lm_json_get_int (root, key, 0) : -1;
  if (value < 0)
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED, "cannot read %s: the output of qemu-img is not valid", name);
  *out_value = (guint64) value;
  return TRUE;
}

static gboolean
examine_qcow2 (const char *path, const char *name, LmForeign *foreign, GCancellable *cancellable, GError **error)
{
  LmQcow2Header header;
  guint64 file_size, compressed;
  g_autoptr (GError) failure = NULL;
  if (!lm_qcow2_read_content (path, &header, &file_size, &failure) || !lm_qcow2_check_foreign (&header, file_size, &failure))
    {
      if (g_error_matches (failure, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED))
        return refuse_image (error, name, failure->message);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  const char *const argv[] = { "qemu-img", "check", "-f", "qcow2", "--output=json", "--", path, NULL };
  if (!ask_qemu_img (argv, name, "compressed-clusters", &compressed, cancellable, error))
    return FALSE;
  foreign->compressed = compressed > 0;
  foreign->snapshots = header.nb_snapshots;
  foreign->has_extras = lm_qcow2_has_extras (&header);
  foreign->virtual_size = header.virtual_size;
  return TRUE;
}

/* The format of an image is never guessed from what a guest could have written, except that what
 * is not qcow2 must look like a disk; as a disk without a header, a raw image refers to nothing. */
static gboolean
examine_raw (const guint8 *head, gsize size, guint64 file_size, const char *name, LmForeign *foreign, GError **error)
{
  gboolean is_disk = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (disks); i++)
    is_disk = is_disk || (size >= disks[i].offset + disks[i].size && memcmp (head + disks[i].offset, disks[i].magic, disks[i].size) == 0);
  const char *advice = NULL, *what = lm_content_recognize (head, size, &advice);
  if (what != NULL && !g_str_has_prefix (what, "a raw "))
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED, "%s is %s, neither a qcow2 image nor a raw one; %s", name, what,
                     advice);
  if (!is_disk)
    return refuse_image (error, name, "it is neither a qcow2 image nor a raw one with a partition table or a file system");
  if (file_size % SECTOR != 0 || file_size > LM_QCOW2_VIRTUAL_SIZE_MAX)
    return refuse_image (error, name, "its size is not that of a disk, a multiple of 512 bytes up to 64 TiB");
  *foreign = (LmForeign){ .is_raw = TRUE, .virtual_size = file_size };
  return TRUE;
}

gboolean
lm_foreign_examine (const char *path, const char *name, LmForeign *out_foreign, GCancellable *cancellable, GError **error)
{
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  g_autofree guint8 *head = g_malloc (HEAD_SIZE);
  LmForeign foreign = { 0 };
  struct stat st;
  gsize size;
  if (fd < 0 || fstat (fd, &st) < 0)
    return lm_throw_errno (error, "cannot open %s", path);
  if (!lm_fd_read_full (fd, head, HEAD_SIZE, &size, error))
    return FALSE;
  gboolean is_qcow2 = size >= 4 && memcmp (head, "QFI\xfb", 4) == 0;
  if (is_qcow2 ? !examine_qcow2 (path, name, &foreign, cancellable, error)
               : !examine_raw (head, size, (guint64) st.st_size, name, &foreign, error))
    return FALSE;
  *out_foreign = foreign;
  return TRUE;
}

gboolean
lm_foreign_needs_conversion (const LmForeign *foreign)
{
  return foreign->is_raw || foreign->compressed || foreign->has_extras;
}

static const char *
format_of (const LmForeign *foreign)
{
  return foreign->is_raw ? "raw" : "qcow2";
}

gboolean
lm_foreign_measure (const LmForeign *foreign, const char *path, const char *name, guint64 *out_size, GCancellable *cancellable,
                    GError **error)
{
  const char *const argv[] = { "qemu-img", "measure", "-f", format_of (foreign), "-O", "qcow2", "--output=json", "--", path, NULL };
  return ask_qemu_img (argv, name, "required", out_size, cancellable, error);
}

gboolean
lm_foreign_convert (const LmForeign *foreign, const char *path, const char *name, const char *to, GCancellable *cancellable,
                    GError **error)
{
  const char *const argv[] = { "qemu-img", "convert", "-f", format_of (foreign), "-O", "qcow2", "--", path, to, NULL };
  return lm_fault_point ("convert-before-run", error) && run_qemu_img (argv, &copy_limits, name, NULL, cancellable, error)
         && lm_fault_point ("convert-after-run", error);
}
