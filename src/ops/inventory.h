/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The machines that lamina made, with their current state in libvirt. */
#include "ops/host.h"
#include "machine/machine.h"
#include "virt/connect.h"

typedef struct
{
  LmMachine *machine;
  const char *state;     /* "running", "paused", "shut off", "saved", ..., "no domain", "replaced", "incomplete" */
  char *domain_name;     /* differs from the machine's name if it was renamed; NULL if there is no domain */
  gboolean overlay_missing;
  guint64 overlay_bytes; /* allocated on disk */
  char **addresses;      /* of the guest; may be empty; set by lm_inventory_find() only */
} LmInventoryEntry;

/** lm_inventory_entry_free: frees @entry; NULL is ignored. */
void lm_inventory_entry_free (LmInventoryEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmInventoryEntry, lm_inventory_entry_free)

/** lm_inventory_list: returns all machines on @virt (LmInventoryEntry), sorted by
 * name. Records that cannot be read are reported to the warning function of @host.
 * Errors: LM_VIRT_ERROR. */
GPtrArray *lm_inventory_list (const LmHost *host, LmVirt *virt, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_inventory_name: returns the name under which the machine is known: that of its
 * domain, which may have been renamed, or that in its record. Owned by @entry. */
const char *lm_inventory_name (const LmInventoryEntry *entry);

/** lm_inventory_find_domain: gets the machine whose domain on @virt is called @name; its
 * record has another name if the domain was renamed. *out_machine is NULL if there is none;
 * *out_taken is whether there is such a domain, but it is no machine. A record that cannot be
 * read is an error, because the user means that machine. Errors: LM_VIRT_ERROR,
 * LM_MACHINE_ERROR_CORRUPT, G_IO_ERROR. */
gboolean lm_inventory_find_domain (const LmHost *host, LmVirt *virt, const char *name, LmMachine **out_machine,
                                   gboolean *out_taken, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_inventory_find: returns the machine whose domain on @virt is called @name, or
 * else whose record is; if there are several of these, the one that has a domain. If a
 * domain that is no machine is called @name, a machine whose domain was renamed is not found
 * by its old name. Errors: LM_MACHINE_ERROR_NOT_FOUND, LM_VIRT_ERROR. */
LmInventoryEntry *lm_inventory_find (const LmHost *host, LmVirt *virt, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_inventory_throw_renamed: sets @error to LM_MACHINE_ERROR_NOT_FOUND, because @name is
 * not a machine any more, but a domain that belongs to nobody; the machine is @now.
 * Returns FALSE. */
gboolean lm_inventory_throw_renamed (const char *name, const char *now, GError **error);
