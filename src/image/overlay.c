/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/overlay.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/file.h"
#include "image/qcow2.h"
#include "io/run.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512
#define TIME_SECONDS 120
/* 1980-01-01 UTC, earlier than any real modification. */
#define PRISTINE_TIME 315532800

char **
lm_overlay_argv (const char *backing, const char *overlay, guint64 size, gboolean extended_l2)
{
  g_autoptr (GStrvBuilder) argv = g_strv_builder_new ();
  g_strv_builder_add_many (argv, "qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", backing, NULL);
  /* With subclusters of 4 KiB a small write allocates and copies no more than that. */
  if (extended_l2)
    g_strv_builder_add_many (argv, "-o", "extended_l2=on,cluster_size=128k", NULL);
  g_autofree char *bytes = g_strdup_printf ("%" G_GUINT64_FORMAT, size);
  g_strv_builder_add_many (argv, "--", overlay, bytes, NULL);
  return g_strv_builder_end (argv);
}

/* Whether @header belongs to an overlay over @backing of at least @size bytes. */
static gboolean
is_overlay_of (const LmQcow2Header *header, const char *backing, guint64 size)
{
  return strcmp (header->backing_name, backing) == 0 && strcmp (header->backing_format, "qcow2") == 0
         && header->virtual_size >= size;
}

/* Sets *out_there to whether a suitable overlay exists. FALSE if there is something else. */
static gboolean
find_existing_overlay (const char *overlay, const char *backing, guint64 size, gboolean *out_there, guint64 *out_size,
                       GError **error)
{
  g_autoptr (GError) failure = NULL;
  LmQcow2Header header;
  *out_there = FALSE;
  if (lm_qcow2_read (overlay, &header, NULL, &failure) && is_overlay_of (&header, backing, size))
    {
      *out_there = TRUE;
      *out_size = header.virtual_size;
      return TRUE;
    }
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return TRUE;
  if (failure != NULL && failure->domain == G_IO_ERROR)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return lm_throw (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                   "%s exists but is not an overlay of %s for a disk of %" G_GUINT64_FORMAT
                   " bytes; remove the machine first",
                   overlay, backing, size);
}

static gboolean
run_qemu_img (const char *backing, const char *overlay, guint64 size, GCancellable *cancellable, GError **error)
{
  const LmRunLimits limits = { .time_seconds = TIME_SECONDS };
  g_auto (GStrv) argv = lm_overlay_argv (backing, overlay, size, TRUE);
  g_autoptr (GError) failure = NULL;
  if (lm_run ((const char *const *) argv, &limits, NULL, cancellable, &failure))
    return TRUE;
  if (!g_error_matches (failure, LM_RUN_ERROR, LM_RUN_ERROR_STATUS))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  /* QEMU before 5.2 does not support subclusters; any other error occurs again. */
  g_auto (GStrv) plain = lm_overlay_argv (backing, overlay, size, FALSE);
  return lm_run ((const char *const *) plain, &limits, NULL, cancellable, error);
}

static gboolean
create_overlay_at (const char *backing, const char *temporary, const char *overlay, guint64 size,
                   GCancellable *cancellable, GError **error)
{
  LmQcow2Header header;
  if (!run_qemu_img (backing, temporary, size, cancellable, error))
    return FALSE;
  if (!lm_qcow2_read (temporary, &header, NULL, error))
    return FALSE;
  if (!is_overlay_of (&header, backing, size))
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_FAILED, "qemu-img did not create an overlay of %s", backing);
  lm_autofd int fd = open (temporary, O_RDONLY | O_CLOEXEC);
  const struct timespec pristine[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = PRISTINE_TIME } };
  if (fd < 0 || futimens (fd, pristine) < 0 || fsync (fd) < 0)
    return lm_throw_errno (error, "cannot sync %s", temporary);
  return lm_fault_point ("overlay-before-publish", error) && lm_file_publish (AT_FDCWD, temporary, overlay, error);
}

gboolean
lm_overlay_is_pristine (const char *overlay, gboolean *out_pristine, GError **error)
{
  struct stat st;
  if (lstat (overlay, &st) == 0)
    *out_pristine = st.st_mtim.tv_sec == PRISTINE_TIME && st.st_mtim.tv_nsec == 0;
  else if (errno == ENOENT)
    *out_pristine = TRUE;
  else
    return lm_throw_errno (error, "cannot stat %s", overlay);
  return TRUE;
}

gboolean
lm_overlay_create (const char *backing, const char *overlay, guint64 size, guint64 *out_size,
                   GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (g_path_is_absolute (backing) && g_path_is_absolute (overlay), FALSE);
  LmQcow2Header base;
  if (!lm_qcow2_read (backing, &base, NULL, error))
    return FALSE;
  if (MAX (size, base.virtual_size) > LM_QCOW2_VIRTUAL_SIZE_MAX)
    return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID, "a disk of %" G_GUINT64_FORMAT
                     " bytes is too large; the maximum is 64 TiB", MAX (size, base.virtual_size));
  guint64 wanted = (MAX (size, base.virtual_size) + SECTOR - 1) / SECTOR * SECTOR;

  gboolean there;
  guint64 became = wanted;
  if (!find_existing_overlay (overlay, backing, wanted, &there, &became, error))
    return FALSE;
  if (!there)
    {
      /* Create it with its mode first; qemu-img keeps the mode of an existing file. */
      g_autofree char *temporary = lm_file_temporary_name (overlay);
      int fd = open (temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
      if (fd < 0)
        return lm_throw_errno (error, "cannot create %s", overlay);
      lm_fd_close (fd);
      if (!create_overlay_at (backing, temporary, overlay, wanted, cancellable, error))
        {
          (void) g_unlink (temporary);
          return FALSE;
        }
    }
  if (out_size != NULL)
    *out_size = became;
  return TRUE;
}
