/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What an existing machine needs before it starts: its layers in the cache, and its
 * own copies of kernel and initrd. */
#include "machine/machine.h"
#include "ops/host.h"
#include "ops/prepare.h"

/** lm_supply_layers: pulls the layers of @machine that are not cached. Needs no lock
 * and no libvirt, so that a libvirt hook can have it run. Blocks on the network.
 * Errors: LM_FETCH_ERROR, G_IO_ERROR and others. */
gboolean lm_supply_layers (const LmHost *host, const LmMachine *machine, LmPrepareResult *out_result,
                           GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_supply_machine: pulls the layers of @machine that are not cached, and copies
 * its kernel and initrd again from the cache if they are missing or damaged, with a
 * warning. An old record does not name their blobs; then they are not checked. The
 * caller holds the lock of the machine's name, and its domain is not running.
 * Blocks on network and disk. Errors: LM_FETCH_ERROR, G_IO_ERROR and others. */
gboolean lm_supply_machine (const LmHost *host, const LmMachine *machine, LmPrepareResult *out_result,
                            GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
