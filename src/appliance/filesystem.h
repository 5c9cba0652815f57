/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The journal of an ext file system. What is written through one would be in the layer twice,
 * so while the disk is changed there is none; who loses the machine then loses a disk that is
 * thrown away. The new journal is empty, and takes no room in the layer. */
#include "appliance/failure.h"

/** lm_filesystem_drop_journal: removes the journal of the unmounted file system on @device.
 * Returns its size in MiB; 0 if there is none, or it cannot be removed and stays. */
guint lm_filesystem_drop_journal (guestfs_h *handle, const char *device);
/** lm_filesystem_add_journal: gives the unmounted file system on @device a journal of @size MiB.
 * Error: LM_GUEST_ERROR. */
gboolean lm_filesystem_add_journal (guestfs_h *handle, const char *device, guint size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
