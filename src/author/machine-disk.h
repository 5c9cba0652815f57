/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The disk of a machine that is shut off, for those who read it. As long as it is open no other lamina process changes
 * the machine, and its layers stay in the cache; virsh can still start it, which lm_machine_disk_check() notices.
 * Nothing is written. */
#include "machine/machine.h"
#include "ops/host.h"
#include "virt/connect.h"

typedef enum
{
  LM_MACHINE_DISK_ERROR_BUSY,    /* it runs, is paused, or has a saved state; or did so meanwhile */
  LM_MACHINE_DISK_ERROR_MISSING, /* there is no disk, or only a part of a machine */
  LM_MACHINE_DISK_ERROR_STRANGE, /* the disk is not one that lamina or a snapshot of libvirt made */
} LmMachineDiskError;

#define LM_MACHINE_DISK_ERROR lm_machine_disk_error_quark ()
GQuark lm_machine_disk_error_quark (void);

typedef struct _LmMachineDisk LmMachineDisk;

/** lm_machine_disk_open: finds the machine @name, waits for other processes that work on it, and pulls those of its
 * layers that are missing. The arguments must outlive the result. Blocks. Errors: LM_MACHINE_DISK_ERROR, those of
 * lm_inventory_find(), lm_name_lock_acquire(), lm_prepare_recorded() and lm_chain_check(). */
LmMachineDisk *lm_machine_disk_open (const LmHost *host, LmVirt *virt, LmCache *cache, const char *name, GCancellable *cancellable,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_machine_disk_free: frees @disk; NULL is ignored. */
void lm_machine_disk_free (LmMachineDisk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmMachineDisk, lm_machine_disk_free)

/** lm_machine_disk_get_machine: returns the record. Owned by @disk. */
const LmMachine *lm_machine_disk_get_machine (const LmMachineDisk *disk);
/** lm_machine_disk_get_path: returns the image to which the guest writes: the overlay, or an external snapshot on it.
 * Owned by @disk. */
const char *lm_machine_disk_get_path (const LmMachineDisk *disk);
/** lm_machine_disk_get_top: returns the topmost layer. Owned by @disk. */
const LmBlob *lm_machine_disk_get_top (const LmMachineDisk *disk);

/** lm_machine_disk_get_allocated: returns how many bytes the images above the layers occupy on this host. */
guint64 lm_machine_disk_get_allocated (const LmMachineDisk *disk);

/** lm_machine_disk_hash: gets a digest of all images above the layers. Blocks. Errors: G_IO_ERROR. */
gboolean lm_machine_disk_hash (const LmMachineDisk *disk, LmDigest *out_digest, GCancellable *cancellable,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_disk_check: whether what was read since lm_machine_disk_open() is one state of the disk: the machine is
 * still shut off, and nobody wrote to an image. Errors: LM_MACHINE_DISK_ERROR_BUSY, LM_VIRT_ERROR, G_IO_ERROR. */
gboolean lm_machine_disk_check (const LmMachineDisk *disk, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_machine_disk_explain: replaces *@error, which may be NULL, by that of lm_machine_disk_check() if that is LM_MACHINE_DISK_ERROR_BUSY:
 * programs that read the disk fail in their own words when the machine is started. */
void lm_machine_disk_explain (const LmMachineDisk *disk, GError **error);
