/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The journal of an ext file system. What is written through one would be in the layer twice, so while
 * the disk is changed the file system says that it has none; who loses the machine then loses a disk that is
 * thrown away. The journal's blocks stay as they are: its file was not removed, and it was empty. */
#include "appliance/failure.h"

/** lm_filesystem_stop_journal: has the unmounted file system on @device do without its journal. *out_stopped is FALSE if
 * it has none, one that is on another device, or one with something in it: then nothing was changed. Error: LM_GUEST_ERROR. */
gboolean lm_filesystem_stop_journal (guestfs_h *handle, const char *device, gboolean *out_stopped,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_filesystem_start_journal: has the unmounted file system on @device use its journal again. Error: LM_GUEST_ERROR. */
gboolean lm_filesystem_start_journal (guestfs_h *handle, const char *device, GError **error) G_GNUC_WARN_UNUSED_RESULT;
