/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The JSON form of a machine's record (version 1), written and read here. */
#include "machine/machine.h"

/** lm_instance_from_json: fills @instance, whose uuid and paths are set and
 * whose other members are those of lm_instance_new(). Errors:
 * LM_INSTANCE_ERROR_CORRUPT, or json-glib's own. */
gboolean lm_instance_from_json (LmInstance *instance, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
