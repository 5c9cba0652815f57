/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/command.h"
#include "appliance/report.h"
#include "base/error.h"

#include <errno.h>
#include <string.h>

#define POLICY "/usr/sbin/policy-rc.d"
#define POLICY_KEPT POLICY ".lamina"
#define POLICY_TEXT "#!/bin/sh\n# Written by lamina while packages are installed.\nexit 101\n"

/* libguestfs returns what a failing command wrote to stderr only. So this ends with 0; the last
 * line of its output is the status of the script, and before it are the last 64 KiB that the
 * script has written. The output goes through a pipe, because the disk may be full. */
static const char wrapper[]
  = "exec 4>&1\n"
    "status=$( { { env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8"
    " DEBIAN_FRONTEND=noninteractive /bin/sh -e -c \"$1\" sh </dev/null 2>&1 3>&- 4>&-; echo $? >&3; }"
    " | tail -c 65536 >&4 3>&-; } 3>&1 )\n"
    "printf '\\n%s' \"$status\"\n";

static gboolean
is_full (guestfs_h *handle, const char *output)
{
  if (strstr (output, "No space left on device") != NULL || strstr (output, "You don't have enough free space") != NULL)
    return TRUE;
  struct guestfs_statvfs *stat = guestfs_statvfs (handle, "/");
  gboolean full = stat != NULL && (stat->bavail == 0 || stat->ffree == 0) && stat->files > 0;
  if (stat != NULL)
    guestfs_free_statvfs (stat);
  return full;
}

/* Cuts the status off @output; -1 if there is none. */
static int
take_status (char *output)
{
  char *line = strrchr (output, '\n');
  guint64 status;
  if (line == NULL || !g_ascii_string_to_unsigned (line + 1, 10, 0, 255, &status, NULL))
    return -1;
  *line = '\0';
  return (int) status;
}

gboolean
lm_command_run (guestfs_h *handle, guint step, const char *script, GError **error)
{
  char *const argv[] = { (char *) "/bin/sh", (char *) "-c", (char *) wrapper, (char *) "sh", (char *) script, NULL };
  char *output = guestfs_command (handle, argv);
  if (output == NULL)
    {
      const char *message = guestfs_last_error (handle);
      if (guestfs_is_ready (handle) != 1)
        return lm_failure_throw (handle, error, "the appliance has ended");
      lm_report_output (step, 0, message != NULL ? message : "");
      return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_COMMAND, "it cannot be run: the guest needs a shell, env and tail");
    }
  int status = take_status (output);
  g_autofree char *kept = g_strdup (output);
  free (output);
  if (status == 0)
    return TRUE;
  lm_report_output (step, status, kept);
  if (is_full (handle, kept))
    return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_NO_SPACE, "the file system of the guest is full");
  return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_COMMAND, "it failed");
}

gboolean
lm_command_forbid_services (guestfs_h *handle, GError **error)
{
  /* Only Debian's family asks such a file. */
  if (guestfs_is_dir (handle, "/usr/sbin") != 1 || guestfs_is_dir (handle, "/var/lib/dpkg") != 1)
    return TRUE;
  if (guestfs_exists (handle, POLICY) == 1 && guestfs_exists (handle, POLICY_KEPT) != 1
      && guestfs_mv (handle, POLICY, POLICY_KEPT) < 0)
    return lm_failure_throw (handle, error, "cannot rename %s", POLICY);
  if (guestfs_write (handle, POLICY, POLICY_TEXT, strlen (POLICY_TEXT)) < 0 || guestfs_chmod (handle, 0755, POLICY) < 0)
    return lm_failure_throw (handle, error, "cannot write %s", POLICY);
  return TRUE;
}

gboolean
lm_command_allow_services (guestfs_h *handle, GError **error)
{
  if (guestfs_is_dir (handle, "/usr/sbin") != 1 || guestfs_is_dir (handle, "/var/lib/dpkg") != 1)
    return TRUE;
  if (guestfs_rm_f (handle, POLICY) < 0)
    return lm_failure_throw (handle, error, "cannot remove %s", POLICY);
  if (guestfs_exists (handle, POLICY_KEPT) == 1 && guestfs_mv (handle, POLICY_KEPT, POLICY) < 0)
    return lm_failure_throw (handle, error, "cannot rename %s", POLICY_KEPT);
  return TRUE;
}
