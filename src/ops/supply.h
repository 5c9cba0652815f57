/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a machine that is there needs before it starts: its layers in the cache, and
 * its own copies of kernel and initrd. */
#include "machine/machine.h"
#include "ops/host.h"
#include "ops/prepare.h"

/** lm_supply_machine: pulls the layers of @machine that are not cached, and makes its
 * copies of kernel and initrd again, from the cache, where they are missing or have
 * other bytes; of what is done for these the user is warned. The caller holds the lock
 * of the machine's name, and its domain does not run. A record that does not name them
 * has none. Blocks: network, disk. Errors: LM_FETCH_ERROR, G_IO_ERROR and others. */
gboolean lm_supply_machine (const LmHost *host, const LmMachine *machine, LmPrepareResult *out_result,
                            GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
