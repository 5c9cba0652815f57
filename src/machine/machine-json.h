/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The JSON form of a machine's record (version 1). */
#include "machine/machine.h"

/** lm_machine_from_json: fills in @machine, whose uuid and paths are set and whose
 * other members are those of lm_machine_new(). Errors: LM_MACHINE_ERROR_CORRUPT;
 * LM_JSON_ERROR. */
gboolean lm_machine_from_json (LmMachine *machine, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
