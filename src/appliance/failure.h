/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Why a job cannot be done. */
#include <glib.h>
#include <guestfs.h>

/* The member "kind" of what report.h says of a failure. */
typedef enum
{
  LM_GUEST_ERROR_FAILED,
  LM_GUEST_ERROR_MISSING,
  LM_GUEST_ERROR_IMAGE,
  LM_GUEST_ERROR_COMMAND,
  LM_GUEST_ERROR_NO_SPACE,
} LmGuestError;

#define LM_GUEST_ERROR lm_guest_error_quark ()
GQuark lm_guest_error_quark (void);

/** lm_failure_throw: sets @error to the last error of libguestfs in @handle, after the text, as
 * LM_GUEST_ERROR_NO_SPACE or LM_GUEST_ERROR_FAILED; returns FALSE. */
gboolean lm_failure_throw (guestfs_h *handle, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);
