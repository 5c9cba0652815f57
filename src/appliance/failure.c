/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/failure.h"
#include "base/error.h"

#include <errno.h>

G_DEFINE_QUARK (lm-guest-error-quark, lm_guest_error)

gboolean
lm_failure_throw (guestfs_h *handle, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *what = g_strdup_vprintf (format, args);
  va_end (args);
  const char *why = guestfs_last_error (handle);
  int code = guestfs_last_errno (handle) == ENOSPC ? LM_GUEST_ERROR_NO_SPACE : LM_GUEST_ERROR_FAILED;
  return lm_throw (error, LM_GUEST_ERROR, code, "%s: %s", what, why != NULL ? why : "no reason given");
}
