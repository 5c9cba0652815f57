/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/remove.h"
#include "base/error.h"
#include "base/fault.h"
#include "ops/inventory.h"
#include "ops/machine-domain.h"
#include "ops/name-lock.h"
#include "ops/replace.h"
#include "ops/usage.h"

#include <string.h>

static gboolean
check_removable (const LmHost *host, LmVirt *virt, const LmMachine *machine, LmVirtDomain **out_domain,
                 GCancellable *cancellable, GError **error)
{
  return lm_machine_domain_find (virt, machine, out_domain, error)
         && lm_usage_check (host, virt, machine, cancellable, error);
}

/* If this run is killed after this, the next run removes the rest. A full disk must
 * not prevent a removal. */
static void
mark_as_removing (LmMachine *machine)
{
  if (machine->state != LM_MACHINE_STATE_REMOVING)
    (void) !lm_machine_change_state (machine, LM_MACHINE_STATE_REMOVING, NULL);
}

/* Removes what libvirt keeps for a machine without a domain; a failure must not prevent its removal. */
static void
remove_tpm_state (const LmHost *host, LmVirt *virt, const LmMachine *machine)
{
  g_autoptr (GError) failure = NULL;
  if (lm_replace_remove_tpm_state (virt, machine, &failure))
    return;
  g_autofree char *text = g_strdup_printf ("the state of the TPM of %s (%s) could not be removed: %s", machine->name,
                                           machine->uuid, failure->message);
  host->warning (host->user_data, text);
}

gboolean
lm_remove_domain (LmVirt *virt, LmMachine *machine, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  gboolean ran;
  if (!lm_machine_domain_has_run (virt, machine, &domain, &ran, error))
    return FALSE;
  g_autoptr (GError) failure = NULL;
  if (machine->state != LM_MACHINE_STATE_REMOVING
      && !lm_machine_change_state (machine, LM_MACHINE_STATE_REMOVING, &failure) && ran)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), "it is kept as it is because its guest has run: ");
      return FALSE;
    }
  return domain == NULL || lm_machine_domain_remove (domain, FALSE, error);
}

gboolean
lm_remove_machine (const LmHost *host, LmVirt *virt, LmMachine *machine, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  if (!check_removable (host, virt, machine, &domain, cancellable, error))
    return FALSE;
  mark_as_removing (machine);
  if (domain == NULL)
    remove_tpm_state (host, virt, machine);
  return lm_fault_point ("remove-before-undefine", error)
         && (domain == NULL || lm_machine_domain_remove (domain, FALSE, error))
         && lm_fault_point ("remove-after-undefine", error) && lm_machine_erase (machine, error);
}

/* Returns the machines called @name; there are several if a --replace was killed. */
static GPtrArray *
find_machines_by_name (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  g_autoptr (GPtrArray) list = lm_machine_list (host->state_dir, NULL, error);
  g_autoptr (LmMachine) first = list ? lm_machine_find (host->state_dir, name, lm_virt_uri (virt), error) : NULL;
  if (first == NULL)
    return NULL;
  for (guint i = list->len; i > 0; i--)
    {
      const LmMachine *machine = g_ptr_array_index (list, i - 1);
      if (strcmp (machine->name, name) != 0 || g_strcmp0 (machine->uri, first->uri) != 0)
        g_ptr_array_remove_index (list, i - 1);
    }
  return g_steal_pointer (&list);
}

/* The domain @name is no machine, so machines whose domains were called that before, and
 * have other names now, are not meant. */
static gboolean
leave_out_renamed (LmVirt *virt, const char *name, GPtrArray *machines, GError **error)
{
  g_autofree char *now = NULL;
  for (guint i = machines->len; i > 0; i--)
    {
      g_autoptr (LmVirtDomain) domain = NULL;
      if (!lm_machine_domain_find (virt, g_ptr_array_index (machines, i - 1), &domain, error))
        return FALSE;
      if (domain == NULL)
        continue;
      g_free (now);
      now = g_strdup (lm_virt_domain_name (domain));
      g_ptr_array_remove_index (machines, i - 1);
    }
  return machines->len > 0 || lm_inventory_throw_renamed (name, now, error);
}

/* If one of several machines cannot be removed, none is. */
static gboolean
check_all_removable (const LmHost *host, LmVirt *virt, const GPtrArray *machines, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmVirtDomain) first = NULL;
  for (guint i = 0; i < machines->len; i++)
    {
      const LmMachine *machine = g_ptr_array_index (machines, i);
      g_autoptr (LmVirtDomain) domain = NULL;
      if (!check_removable (host, virt, machine, &domain, cancellable, error))
        return FALSE;
      if (domain != NULL && first != NULL)
        return lm_throw (error, LM_MACHINE_DOMAIN_ERROR, LM_MACHINE_DOMAIN_ERROR_SEVERAL,
                         "two machines are called %s, with the domains %s and %s, so neither is removed; to remove "
                         "both, run \"virsh undefine\" for one of these first", machine->name, lm_virt_domain_name (first),
                         lm_virt_domain_name (domain));
      if (domain != NULL)
        first = g_steal_pointer (&domain);
    }
  return TRUE;
}

/* The caller holds the lock of the new name of @machine; as somebody may be waiting
 * for that and hold the lock of the old one, this does not wait. */
static gboolean
remove_renamed_machine (const LmHost *host, LmVirt *virt, LmMachine *machine, GCancellable *cancellable, GError **error)
{
  LmLock *lock = lm_machine_lock (host->state_dir, machine->name, 0, cancellable, error);
  if (lock == NULL)
    return FALSE;
  gboolean removed = lm_remove_machine (host, virt, machine, cancellable, error);
  lm_name_lock_release (host, machine->name, lock);
  return removed;
}

static gboolean
remove_machines_by_name (const LmHost *host, LmVirt *virt, const char *name, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmMachine) renamed = NULL;
  gboolean taken;
  if (!lm_inventory_find_domain (host, virt, name, &renamed, &taken, error))
    return FALSE;
  if (renamed != NULL && strcmp (renamed->name, name) != 0)
    return remove_renamed_machine (host, virt, renamed, cancellable, error);
  g_autoptr (GPtrArray) machines = find_machines_by_name (host, virt, name, error);
  if (machines == NULL || (taken && !leave_out_renamed (virt, name, machines, error)))
    return FALSE;
  if (machines->len > 1 && !check_all_removable (host, virt, machines, cancellable, error))
    return FALSE;
  /* If this run is killed between two of them, none must be restored. */
  for (guint i = 0; machines->len > 1 && i < machines->len; i++)
    mark_as_removing (g_ptr_array_index (machines, i));
  for (guint i = 0; i < machines->len; i++)
    if (!lm_remove_machine (host, virt, g_ptr_array_index (machines, i), cancellable, error))
      return FALSE;
  return TRUE;
}

gboolean
lm_remove (const LmHost *host, LmVirt *virt, const char *name, GCancellable *cancellable, GError **error)
{
  if (!lm_domain_name_check (name, error))
    return FALSE;
  LmLock *lock = lm_name_lock_acquire (host, name, cancellable, error);
  if (lock == NULL)
    return FALSE;
  gboolean removed = remove_machines_by_name (host, virt, name, cancellable, error);
  lm_name_lock_release (host, name, lock);
  return removed;
}
