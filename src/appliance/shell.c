/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/shell.h"

#include <string.h>

#define FIRST_DISK "/dev/sda"
#define LABELLED_DISK "/dev/disk/guestfs/" LM_SHELL_DISK_LABEL

char *
lm_shell_run (guestfs_h *handle, const char *command)
{
  char *const words[] = { (char *) command, NULL };
  return guestfs_debug (handle, "sh", words);
}

char *
lm_shell_locate (guestfs_h *handle, const char *path, GError **error)
{
  char *real = guestfs_realpath (handle, path);
  if (real == NULL)
    {
      (void) lm_failure_throw (handle, error, "cannot find %s", path);
      return NULL;
    }
  g_autofree char *whole = g_strconcat (LM_SHELL_ROOT, real, NULL);
  free (real);
  return g_shell_quote (whole);
}

char *
lm_shell_device (const char *device)
{
  g_autofree char *labelled
    = g_str_has_prefix (device, FIRST_DISK) ? g_strconcat (LABELLED_DISK, device + strlen (FIRST_DISK), NULL) : NULL;
  return g_shell_quote (labelled != NULL ? labelled : device);
}
