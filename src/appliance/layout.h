/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* An empty disk becomes one that a system can be put on: partitions and file systems. */
#include "appliance/failure.h"

/* A file system, and where it is to be mounted. */
typedef struct
{
  char device[32]; /* "" if there is none */
  const char *point;
} LmLayoutMount;

/** lm_layout_make: makes the layout @name of build/appliance.h ("whole", "bios" or "uefi") on the disk
 * of @handle, of which everything is lost. *out_root and *out_efi are what is to be mounted, in this
 * order. Error: LM_GUEST_ERROR. */
gboolean lm_layout_make (guestfs_h *handle, const char *name, LmLayoutMount *out_root, LmLayoutMount *out_efi,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
