/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/remove.h"
#include "base/error.h"
#include "base/fault.h"
#include "ops/machine-domain.h"
#include "ops/name-lock.h"
#include "ops/replace.h"
#include "ops/usage.h"

#include <string.h>

static gboolean
check_machine (const LmHost *host, LmVirt *virt, const LmMachine *machine, LmVirtDomain **out_domain, GError **error)
{
  return lm_machine_domain_find (virt, machine, out_domain, error) && lm_usage_check (host, virt, machine, error);
}

/* What libvirt keeps for a machine without a domain must not keep it from going. */
static void
forget (const LmHost *host, LmVirt *virt, const LmMachine *machine)
{
  g_autoptr (GError) failure = NULL;
  if (lm_replace_forget (virt, machine, &failure))
    return;
  g_autofree char *text = g_strdup_printf ("the state of the TPM of %s (%s) could not be removed: %s", machine->name,
                                           machine->uuid, failure->message);
  host->warning (host->user_data, text);
}

gboolean
lm_remove_machine (const LmHost *host, LmVirt *virt, LmMachine *machine, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  if (!check_machine (host, virt, machine, &domain, error))
    return FALSE;
  /* Killed from here on, the next run removes the rest. A full disk must not keep
   * the machine from going. */
  (void) !lm_machine_change_state (machine, LM_MACHINE_STATE_REMOVING, NULL);
  if (domain == NULL)
    forget (host, virt, machine);
  return lm_fault_point ("remove-before-undefine", error)
         && (domain == NULL || lm_machine_domain_remove (domain, FALSE, error))
         && lm_fault_point ("remove-after-undefine", error) && lm_machine_erase (machine, error);
}

/* The machines called @name; there are two where a --replace was killed. */
static GPtrArray *
find_all (const LmHost *host, LmVirt *virt, const char *name, GError **error)
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

static gboolean
remove_all (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  g_autoptr (GPtrArray) machines = find_all (host, virt, name, error);
  if (machines == NULL)
    return FALSE;
  /* Of several none goes if one cannot. */
  for (guint i = 0; machines->len > 1 && i < machines->len; i++)
    {
      g_autoptr (LmVirtDomain) domain = NULL;
      if (!check_machine (host, virt, g_ptr_array_index (machines, i), &domain, error))
        return FALSE;
    }
  for (guint i = 0; i < machines->len; i++)
    if (!lm_remove_machine (host, virt, g_ptr_array_index (machines, i), error))
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
  gboolean removed = remove_all (host, virt, name, error);
  lm_name_lock_release (host, name, lock);
  return removed;
}
