/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/filesystem.h"
#include "appliance/shell.h"

#include <string.h>

#define SIZE_LABEL "Total journal size:"
/* A journal has at least 1024 blocks; the largest that mke2fs makes is 1 GiB. */
#define SIZE_MAX_MIB 1024

/* Runs a command of e2fsprogs. @device is a name that libguestfs gave, perhaps from one in a guest. */
static char *
run_tool (guestfs_h *handle, const char *tool, const char *device)
{
  g_autofree char *quoted = lm_shell_device (device);
  g_autofree char *command = g_strconcat (tool, " ", quoted, NULL);
  return lm_shell_run (handle, command);
}

/* Returns the size of the journal in MiB, rounded up; 0 if there is none. */
static guint
read_size (const char *description)
{
  const char *at = strstr (description, SIZE_LABEL);
  if (at == NULL)
    return 0;
  at += strlen (SIZE_LABEL);
  char *end;
  guint64 number = g_ascii_strtoull (at + strspn (at, " \t"), &end, 10);
  guint64 kib = *end == 'M' ? number * 1024 : *end == 'k' ? number : 0;
  return (guint) MIN ((kib + 1023) / 1024, SIZE_MAX_MIB);
}

guint
lm_filesystem_drop_journal (guestfs_h *handle, const char *device)
{
  g_autofree char *type = guestfs_vfs_type (handle, device);
  if (type == NULL || (strcmp (type, "ext4") != 0 && strcmp (type, "ext3") != 0))
    return 0;
  char *description = run_tool (handle, "dumpe2fs -h", device);
  guint size = description != NULL ? read_size (description) : 0;
  free (description);
  if (size == 0)
    return 0;
  /* Refused while the journal holds what has not been written. */
  char *said = run_tool (handle, "tune2fs -O ^has_journal", device);
  if (said == NULL)
    return 0;
  free (said);
  return size;
}

gboolean
lm_filesystem_add_journal (guestfs_h *handle, const char *device, guint size, GError **error)
{
  g_autofree char *tool = g_strdup_printf ("tune2fs -O has_journal -J size=%u", size);
  char *said = run_tool (handle, tool, device);
  if (said == NULL)
    return lm_failure_throw (handle, error, "cannot give the file system %s its journal back", device);
  free (said);
  return TRUE;
}
