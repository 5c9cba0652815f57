/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The overlay of a machine that exists: creates it if it is not there, and throws
 * away that of an ephemeral machine. An overlay that is there is never replaced. */
#include "cache/cache.h"
#include "machine/machine.h"

/** lm_disk_supply: creates the overlay of @machine over its layers, with the size
 * machine->disk or what the layers need if that is larger, if it does not exist;
 * the caller holds a lease for the layers. Does lm_chain_check() in any case.
 * Errors: those of lm_chain_make_overlay(). */
gboolean lm_disk_supply (LmCache *cache, LmMachine *machine, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_disk_discard: removes the overlay of @machine, which must be ephemeral and
 * not in use. One to which nothing was written is kept, and one with internal
 * snapshots, because somebody wanted its contents to last. Succeeds if there is none. Errors: G_IO_ERROR,
 * LM_IMAGE_ERROR. */
gboolean lm_disk_discard (const LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;
