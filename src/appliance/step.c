/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/step.h"
#include "appliance/command.h"
#include "appliance/listing.h"
#include "appliance/report.h"
#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <string.h>

/* libguestfs takes at most 4 MiB in one message. */
#define PIECE (1024 * 1024)
#define READ_MAX (4 * 1024 * 1024)

typedef struct
{
  LmGuest *guest;
  guestfs_h *handle;
  const LmJsonValue *step;
  const char *path;    /* in the guest */
  int mode;
  guint number;
} StepContext;

typedef gboolean (*StepFunc) (const StepContext *context, GError **error);

static gboolean
set_mode (const StepContext *context, GError **error)
{
  return (guestfs_chmod (context->handle, context->mode, context->path) == 0
          && guestfs_chown (context->handle, 0, 0, context->path) == 0)
         || lm_failure_throw (context->handle, error, "cannot set the mode of %s", context->path);
}

static gboolean
do_upload (const StepContext *context, GError **error)
{
  const char *from = lm_json_get_string (context->step, "from");
  if (guestfs_upload (context->handle, from, context->path) < 0)
    return lm_failure_throw (context->handle, error, "cannot copy %s to %s", from, context->path);
  return set_mode (context, error);
}

static gboolean
do_unpack (const StepContext *context, GError **error)
{
  const char *from = lm_json_get_string (context->step, "from");
  return guestfs_tar_in_opts (context->handle, from, context->path, GUESTFS_TAR_IN_OPTS_XATTRS, 1, -1) == 0
         || lm_failure_throw (context->handle, error, "cannot unpack %s", from);
}

static gboolean
do_write (const StepContext *context, GError **error)
{
  gsize size = 0;
  g_autofree guchar *content = g_base64_decode (lm_json_get_string (context->step, "content"), &size);
  for (gsize done = 0, n; done == 0 || done < size; done += MAX (n, 1))
    {
      n = MIN (size - done, PIECE);
      const char *piece = (const char *) content + done;
      if ((done == 0 ? guestfs_write (context->handle, context->path, piece, n)
                     : guestfs_write_append (context->handle, context->path, piece, n))
          < 0)
        return lm_failure_throw (context->handle, error, "cannot write %s", context->path);
    }
  return set_mode (context, error);
}

static gboolean
do_mkdir (const StepContext *context, GError **error)
{
  if (guestfs_is_dir_opts (context->handle, context->path, GUESTFS_IS_DIR_OPTS_FOLLOWSYMLINKS, 1, -1) == 1)
    return TRUE;
  if (guestfs_mkdir_p (context->handle, context->path) < 0)
    return lm_failure_throw (context->handle, error, "cannot create %s", context->path);
  return set_mode (context, error);
}

static gboolean
do_run (const StepContext *context, GError **error)
{
  return lm_command_run (context->handle, context->number, lm_json_get_string (context->step, "script"), error);
}

/* Reports the first @size bytes of the file. */
static gboolean
read_inline (const StepContext *context, guint64 size, GError **error)
{
  g_autoptr (GByteArray) content = g_byte_array_new ();
  while (content->len < size)
    {
      size_t got = 0;
      char *piece = guestfs_pread (context->handle, context->path, (int) MIN (size - content->len, PIECE), content->len, &got);
      if (piece == NULL)
        return lm_failure_throw (context->handle, error, "cannot read %s", context->path);
      g_byte_array_append (content, (const guint8 *) piece, (guint) got);
      free (piece);
      if (got == 0)
        break;
    }
  lm_report_result (context->number, content->len > 0 ? (const char *) content->data : "", content->len);
  return TRUE;
}

static gboolean
do_read (const StepContext *context, GError **error)
{
  const char *to = lm_json_get_string (context->step, "to_host");
  guint64 max = (guint64) lm_json_get_int (context->step, "max", 0);
  if (guestfs_is_file_opts (context->handle, context->path, GUESTFS_IS_FILE_OPTS_FOLLOWSYMLINKS, 1, -1) != 1)
    {
      lm_report_result (context->number, NULL, 0);
      return TRUE;
    }
  gint64 size = guestfs_filesize (context->handle, context->path);
  if (size < 0)
    return lm_failure_throw (context->handle, error, "cannot read %s", context->path);
  max = MIN (max, (guint64) size);
  if (to == NULL)
    return read_inline (context, MIN (max, READ_MAX), error);
  return (max == 0 ? lm_file_write_unsynced (to, "", 0, 0600, error)
                   : guestfs_download_offset (context->handle, context->path, to, 0, (int64_t) max) == 0
                         || lm_failure_throw (context->handle, error, "cannot copy %s to %s", context->path, to));
}

static gboolean
do_list (const StepContext *context, GError **error)
{
  return lm_listing_write (context->handle, context->path, lm_json_get_string (context->step, "to_host"), error);
}

static gboolean
do_digests (const StepContext *context, GError **error)
{
  return lm_listing_write_digests (context->handle, context->path, lm_json_get_string (context->step, "to_host"), error);
}

/* Calls @func for each path that matches the glob @pattern. */
static gboolean
visit_pattern (const StepContext *context, const char *pattern, StepFunc func, GError **error)
{
  char **paths = guestfs_glob_expand_opts (context->handle, pattern, GUESTFS_GLOB_EXPAND_OPTS_DIRECTORYSLASH, 0, -1);
  gboolean ok = paths != NULL || lm_failure_throw (context->handle, error, "cannot look for %s", pattern);
  for (char **path = paths; path != NULL && *path != NULL; path++)
    {
      StepContext one = *context;
      one.path = *path;
      /* ".*" matches these too. */
      g_autofree char *name = g_path_get_basename (*path);
      if (ok && strcmp (name, ".") != 0 && strcmp (name, "..") != 0)
        ok = func (&one, error);
      free (*path);
    }
  free (paths);
  return ok;
}

/* Calls @func for what matches one of the globs of the step. */
static gboolean
for_each_match (const StepContext *context, StepFunc func, GError **error)
{
  g_auto (GStrv) also = lm_json_get_strv (context->step, "also");
  gboolean ok = visit_pattern (context, context->path, func, error);
  for (char **pattern = also; ok && *pattern != NULL; pattern++)
    ok = visit_pattern (context, *pattern, func, error);
  return ok;
}

/* libguestfs removes with a program of the appliance, in whose root a symbolic link of the guest to an absolute path would end. */
static gboolean
remove_path (const StepContext *context, GError **error)
{
  g_autofree char *dir = g_path_get_dirname (context->path), *name = g_path_get_basename (context->path);
  char *real = guestfs_realpath (context->handle, dir);
  g_autofree char *path = real != NULL ? g_build_filename (real, name, NULL) : NULL;
  free (real);
  return (path != NULL && guestfs_rm_rf (context->handle, path) == 0)
         || lm_failure_throw (context->handle, error, "cannot remove %s", context->path);
}

static gboolean
do_remove (const StepContext *context, GError **error)
{
  return for_each_match (context, remove_path, error);
}

/* Logs may be elsewhere, behind a link; but a link to the root does not mean that everything is a log. */
static gboolean
truncate_path (const StepContext *context, GError **error)
{
  char *real = guestfs_realpath (context->handle, context->path);
  const gboolean is_root = real != NULL && strcmp (real, "/") == 0;
  free (real);
  if (!is_root && guestfs_is_dir_opts (context->handle, context->path, GUESTFS_IS_DIR_OPTS_FOLLOWSYMLINKS, 1, -1) == 1)
    return lm_listing_truncate (context->handle, context->path, error);
  if (guestfs_is_file_opts (context->handle, context->path, GUESTFS_IS_FILE_OPTS_FOLLOWSYMLINKS, 1, -1) != 1)
    return TRUE;
  return guestfs_truncate (context->handle, context->path) == 0
         || lm_failure_throw (context->handle, error, "cannot empty %s", context->path);
}

static gboolean
do_truncate (const StepContext *context, GError **error)
{
  return for_each_match (context, truncate_path, error);
}

static gboolean
do_trim (const StepContext *context, GError **error)
{
  return lm_guest_trim (context->guest, error);
}

/* What there is to do; @needs: members that have to be there, besides "path". */
static const struct
{
  const char *name;
  StepFunc func;
  const char *needs;
  gboolean without_path;
} kinds[] = {
  { "upload", do_upload, "from" },    { "write", do_write, "content" }, { "mkdir", do_mkdir, NULL },
  { "run", do_run, "script", TRUE },  { "read", do_read, NULL },        { "list", do_list, "to_host" },
  { "remove", do_remove, NULL },      { "truncate", do_truncate, NULL }, { "trim", do_trim, NULL, TRUE },
  { "unpack", do_unpack, "from" },    { "digests", do_digests, "to_host" },
};

/* Returns the number of its kind; G_N_ELEMENTS (kinds) if it is not known. */
static gsize
kind_of (const LmJsonValue *step)
{
  const char *name = lm_json_get_string (step, "do");
  gsize kind = 0;
  while (kind < G_N_ELEMENTS (kinds) && g_strcmp0 (name, kinds[kind].name) != 0)
    kind++;
  return kind;
}

gboolean
lm_step_check (const LmJsonValue *steps, GError **error)
{
  guint number = 0;
  for (const LmJsonValue *step = lm_json_get_first (steps); step != NULL; step = lm_json_get_next (step))
    {
      const gsize kind = kind_of (step);
      const char *path = lm_json_get_string (step, "path");
      number++;
      if (kind == G_N_ELEMENTS (kinds) || (!kinds[kind].without_path && (path == NULL || *path != '/'))
          || (kinds[kind].needs != NULL && lm_json_get_string (step, kinds[kind].needs) == NULL))
        return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_FAILED, "step %u of the job is not known or not complete", number);
    }
  return TRUE;
}

gboolean
lm_step_needs_commands (const LmJsonValue *step)
{
  return g_strcmp0 (lm_json_get_string (step, "do"), "run") == 0;
}

static gboolean
exists (guestfs_h *handle, const char *path)
{
  return *path == '/' && guestfs_exists (handle, path) == 1;
}

static gboolean
is_wanted (guestfs_h *handle, const LmJsonValue *step)
{
  const char *present = lm_json_get_string (step, "if");
  g_auto (GStrv) absent = lm_json_get_strv (step, "unless");
  if (present != NULL && !exists (handle, present))
    return FALSE;
  for (char **path = absent; *path != NULL; path++)
    if (exists (handle, *path))
      return FALSE;
  return TRUE;
}

gboolean
lm_step_do (LmGuest *guest, const LmJsonValue *step, guint number, gboolean *out_skipped, GError **error)
{
  guestfs_h *handle = lm_guest_get_handle (guest);
  const StepContext context = { .guest = guest, .handle = handle, .step = step, .path = lm_json_get_string (step, "path"),
                                .mode = (int) (lm_json_get_int (step, "mode", 0) & 07777), .number = number };
  *out_skipped = !is_wanted (handle, step);
  return *out_skipped || kinds[kind_of (step)].func (&context, error);
}
