/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The virtual machine in which a disk is changed, and the one operating system on that disk. */
#include "appliance/failure.h"
#include "base/json-value.h"
#include <guestfs.h>

typedef struct _LmGuest LmGuest;

/** lm_guest_start: starts the appliance with the disk of @job and mounts its operating system,
 * or the layout that the job makes. Error: LM_GUEST_ERROR. */
LmGuest *lm_guest_start (const LmJsonValue *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_guest_finish: unmounts all and ends the appliance, with all data on the disk. Error:
 * LM_GUEST_ERROR. */
gboolean lm_guest_finish (LmGuest *guest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_guest_free: ends the appliance if it runs; NULL is ignored. */
void lm_guest_free (LmGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmGuest, lm_guest_free)

/** lm_guest_get_handle: returns what libguestfs calls a handle; belongs to @guest. */
guestfs_h *lm_guest_get_handle (LmGuest *guest);

/** lm_guest_trim: gives back the free blocks of all mounted file systems. Error: LM_GUEST_ERROR. */
gboolean lm_guest_trim (LmGuest *guest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
