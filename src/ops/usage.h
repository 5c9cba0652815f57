/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Determines who uses the files of a machine before any of them is removed: the
 * domains on all connections in this host's records, including those that are shut
 * off, and the disks below the state directory through their backing files. */
#include "machine/machine.h"
#include "ops/host.h"
#include "virt/connect.h"

typedef enum
{
  LM_USAGE_ERROR_FOREIGN, /* the machine's directory contains a file that lamina did not create */
  LM_USAGE_ERROR_IN_USE,  /* a domain or a disk uses a file of the machine */
  LM_USAGE_ERROR_UNKNOWN, /* it could not be determined */
} LmUsageError;

#define LM_USAGE_ERROR lm_usage_error_quark ()
GQuark lm_usage_error_quark (void);

/** lm_usage_check: whether the files of @machine can be removed: its directory
 * contains only what lamina created for it, and only its own domain uses that.
 * Checks the domains on @virt and on the connections in other records in the state
 * directory. If another host does not answer, there is only a warning, because it
 * can reach these files only through shared storage. Anything else that cannot be
 * checked is an error. Blocks on libvirt, and reads headers of disks. Errors:
 * LM_USAGE_ERROR, with the file and its user in the message; G_IO_ERROR_CANCELLED. */
gboolean lm_usage_check (const LmHost *host, LmVirt *virt, const LmMachine *machine, GCancellable *cancellable,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
