/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What is below a directory of the guest. */
#include "appliance/failure.h"

/** lm_listing_write: writes what is below the directory @path to the file @to of this host, as
 * lm_appliance_add_list() (build/appliance.h) describes. Error: LM_GUEST_ERROR. */
gboolean lm_listing_write (guestfs_h *handle, const char *path, const char *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_listing_write_digests: likewise the digests of the regular files, as lm_appliance_add_digests() describes. */
gboolean lm_listing_write_digests (guestfs_h *handle, const char *path, const char *to, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_listing_truncate: makes the regular files below the directory @path empty. Error: LM_GUEST_ERROR. */
gboolean lm_listing_truncate (guestfs_h *handle, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
