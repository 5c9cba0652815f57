/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The steps of a job. What they do is described in build/appliance.h, whose functions write
 * the JSON that is read here. */
#include "appliance/guest.h"

/** lm_step_check: whether the job has only steps that are known and complete. Error: LM_GUEST_ERROR. */
gboolean lm_step_check (const LmJsonValue *steps, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_step_needs_commands: whether the step @step runs a command of the guest. */
gboolean lm_step_needs_commands (const LmJsonValue *step);
/** lm_step_do: does the step @step, which is reported as @number; or nothing, *out_skipped, if a
 * condition of it is not met. Error: LM_GUEST_ERROR. */
gboolean lm_step_do (LmGuest *guest, const LmJsonValue *step, guint number, gboolean *out_skipped,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
