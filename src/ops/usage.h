/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Who uses the files of a machine, asked before any of them is removed: the
 * domains of every connection that this host's records name, shut off ones
 * too, and the backing files of every disk below the state directory. */
#include "machine/machine.h"
#include "ops/host.h"
#include "virt/connect.h"

typedef enum
{
  LM_USAGE_ERROR_FOREIGN, /* the machine's directory holds a file that lamina did not make */
  LM_USAGE_ERROR_IN_USE,  /* a domain or a disk needs a file of the machine */
  LM_USAGE_ERROR_UNKNOWN, /* somebody could not be asked */
} LmUsageError;

#define LM_USAGE_ERROR lm_usage_error_quark ()
GQuark lm_usage_error_quark (void);

/** lm_usage_check: whether the files of @machine can be removed: its directory
 * holds nothing but what lamina made for it, and nobody but its own domain uses
 * what is there. Asks @virt, and connects to what other records in the state
 * directory name; another host that does not answer is only warned of, since it
 * reaches these files through shared storage at most. An answer that could not be
 * had is an error. Blocks: libvirt, and reads headers of disks. Errors:
 * LM_USAGE_ERROR, whose message names file and user. */
gboolean lm_usage_check (const LmHost *host, LmVirt *virt, const LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;
