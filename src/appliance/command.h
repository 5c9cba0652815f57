/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Runs a command of the guest in its own root, inside the virtual machine. */
#include "appliance/failure.h"

/** lm_command_run: runs @script, step @step, as lm_appliance_add_run() (build/appliance.h)
 * describes. What a failing one has written is reported. Error: LM_GUEST_ERROR. */
gboolean lm_command_run (guestfs_h *handle, guint step, const char *script, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_command_forbid_services: writes a policy-rc.d that lets no service start; the guest's own
 * is kept beside it. Error: LM_GUEST_ERROR. */
gboolean lm_command_forbid_services (guestfs_h *handle, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_command_allow_services: undoes that. Error: LM_GUEST_ERROR. */
gboolean lm_command_allow_services (guestfs_h *handle, GError **error) G_GNUC_WARN_UNUSED_RESULT;
