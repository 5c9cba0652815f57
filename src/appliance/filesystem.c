/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/filesystem.h"
#include "appliance/shell.h"
#include "base/error.h"

#include <string.h>

/* As dumpe2fs describes a file system. */
#define FEATURES "Filesystem features:"
#define JOURNAL_FILE "Journal inode:"
#define JOURNAL "has_journal"
#define NOT_EMPTY "needs_recovery"

/* Runs @command, or NULL for none, on @device, a name that libguestfs gave, perhaps from one in a guest. Returns
 * what dumpe2fs says about the file system then; NULL if one of them fails. */
static char *
describe (guestfs_h *handle, const char *command, const char *device)
{
  g_autofree char *quoted = lm_shell_device (device);
  g_autofree char *before = command != NULL ? g_strconcat (command, " ", quoted, " </dev/null >/dev/null && ", NULL) : g_strdup ("");
  g_autofree char *line = g_strconcat (before, "dumpe2fs -h ", quoted, NULL);
  return lm_shell_run (handle, line);
}

static gboolean
has_feature (const char *description, const char *name)
{
  const char *from = strstr (description, FEATURES);
  g_autofree char *line = from != NULL ? g_strndup (from, strcspn (from, "\n")) : g_strdup ("");
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  return g_strv_contains ((const char *const *) words, name);
}

gboolean
lm_filesystem_stop_journal (guestfs_h *handle, const char *device, gboolean *out_stopped, GError **error)
{
  g_autofree char *type = guestfs_vfs_type (handle, device);
  *out_stopped = FALSE;
  if (type == NULL || (strcmp (type, "ext4") != 0 && strcmp (type, "ext3") != 0))
    return TRUE;
  g_autofree char *before = describe (handle, NULL, device);
  if (before == NULL || !has_feature (before, JOURNAL) || has_feature (before, NOT_EMPTY) || strstr (before, JOURNAL_FILE) == NULL)
    return TRUE;
  g_autofree char *after = describe (handle, "debugfs -w -R 'feature -" JOURNAL "'", device);
  /* It may have been stopped, and would stay so. */
  if (after == NULL)
    return lm_failure_throw (handle, error, "cannot tell whether the file system %s uses its journal", device);
  *out_stopped = !has_feature (after, JOURNAL);
  return TRUE;
}

gboolean
lm_filesystem_start_journal (guestfs_h *handle, const char *device, GError **error)
{
  g_autofree char *after = describe (handle, "debugfs -w -R 'feature " JOURNAL "'", device);
  if (after == NULL)
    return lm_failure_throw (handle, error, "cannot give the file system %s its journal back", device);
  return has_feature (after, JOURNAL)
         || lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_FAILED, "cannot give the file system %s its journal back", device);
}
