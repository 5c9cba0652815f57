/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/delta.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "image/qcow2.h"
#include "io/run.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* It reads all that the overlay has, and as much of the layers below. */
#define TIME_SECONDS 3600
/* Clusters of 4 KiB, as the blocks of most file systems: what differs in one takes no more room. With
 * subclusters, each cluster that has anything would be in the file whole. All versions of QEMU can read
 * them. For larger disks the table of tables would become too large. */
#define LAYOUT_SMALL "cluster_size=4k"
#define LAYOUT_LARGE "cluster_size=64k"
#define SMALL_MAX (G_GUINT64_CONSTANT (2) << 40)

/* Runs qemu-img, which writes to the file @to. */
static gboolean
run_qemu_img (const char *const *argv, const char *to, GCancellable *cancellable, GError **error)
{
  const LmRunLimits limits = { .time_seconds = TIME_SECONDS };
  if (lm_run (argv, &limits, NULL, cancellable, error))
    return TRUE;
  g_prefix_error (error, "cannot write %s: ", to);
  return FALSE;
}

/* Creates @path, for qemu-img to write to: it keeps the mode of a file that is there. */
static gboolean
create_file (const char *path, GError **error)
{
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return lm_throw_errno (error, "cannot create %s", path);
  lm_fd_close (fd);
  return TRUE;
}

static const char *
choose_layout (const LmQcow2Header *header)
{
  return header->virtual_size <= SMALL_MAX ? LAYOUT_SMALL : LAYOUT_LARGE;
}

gboolean
lm_image_make_workspace (const char *parent_path, const char *overlay, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (g_path_is_absolute (parent_path) && g_path_is_absolute (overlay), FALSE);
  LmQcow2Header header;
  if (!lm_qcow2_read (parent_path, &header, NULL, error) || !create_file (overlay, error))
    return FALSE;
  const char *const argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", parent_path, "-o",
                               choose_layout (&header), "--", overlay, NULL };
  if (run_qemu_img (argv, overlay, cancellable, error))
    return TRUE;
  (void) g_unlink (overlay);
  return FALSE;
}

gboolean
lm_image_make_disk (const char *path, guint64 size, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (g_path_is_absolute (path), FALSE);
  g_autofree char *bytes = g_strdup_printf ("%" G_GUINT64_FORMAT, size);
  const char *const argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", "--", path, bytes, NULL };
  return create_file (path, error) && run_qemu_img (argv, path, cancellable, error);
}

/* Puts into @differences what of @overlay differs from @parent. A rebase to @parent compares
 * what a new, empty image over @overlay shows, and writes only what differs into it. */
static gboolean
find_differences (const char *overlay, const char *parent, const char *layout, const char *differences,
                  GCancellable *cancellable, GError **error)
{
  const char *const create[]
    = { "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", overlay, "-o", layout, "--", differences, NULL };
  const char *const rebase[] = { "qemu-img", "rebase", "-q", "-f", "qcow2", "-F", "qcow2", "-b", parent, "--", differences, NULL };
  return run_qemu_img (create, differences, cancellable, error) && run_qemu_img (rebase, differences, cancellable, error);
}

/* Copies @differences to @to: what is zero takes no room there, and the order is that of the disk,
 * because there is one coroutine (-m 1). Then @to names its parent as a layer does. */
static gboolean
write_layer (const char *differences, const char *parent_path, const LmDigest *parent, const char *layout, const char *to,
             GCancellable *cancellable, GError **error)
{
  g_autofree char *name = lm_digest_file_name (parent, ".qcow2");
  const char *const convert[] = { "qemu-img", "convert", "-q", "-m", "1", "-f", "qcow2", "-O", "qcow2", "-B", parent_path,
                                  "-F", "qcow2", "-o", layout, "--", differences, to, NULL };
  const char *const rename[] = { "qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", name, "--", to, NULL };
  return run_qemu_img (convert, to, cancellable, error) && run_qemu_img (rename, to, cancellable, error);
}

static gboolean
check_layer (const char *path, const LmDigest *parent, GError **error)
{
  LmQcow2Header header;
  guint64 size;
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fsync (fd) < 0)
    return lm_throw_errno (error, "cannot sync %s", path);
  return lm_fault_point ("delta-after-write", error) && lm_qcow2_read (path, &header, &size, error)
         && lm_qcow2_check_layer (&header, size, parent, error);
}

gboolean
lm_image_make_delta (const char *overlay, const char *parent_path, const LmDigest *parent, const char *to,
                     GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (g_path_is_absolute (overlay) && g_path_is_absolute (parent_path) && g_path_is_absolute (to), FALSE);
  LmQcow2Header header;
  if (!lm_qcow2_read (overlay, &header, NULL, error))
    return FALSE;
  if (header.backing_name[0] == '\0')
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED, "%s is not an overlay", overlay);
  const char *layout = choose_layout (&header);
  g_autofree char *differences = g_strconcat (overlay, ".differences", NULL);
  if (!create_file (to, error))
    return FALSE;
  gboolean ok = create_file (differences, error);
  if (ok)
    {
      ok = find_differences (overlay, parent_path, layout, differences, cancellable, error)
           && write_layer (differences, parent_path, parent, layout, to, cancellable, error) && check_layer (to, parent, error);
      (void) g_unlink (differences);
    }
  return ok;
}
