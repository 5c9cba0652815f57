/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/inventory.h"
#include "base/error.h"
#include "virt/domain.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void
lm_inventory_entry_free (LmInventoryEntry *entry)
{
  if (entry == NULL)
    return;
  lm_machine_free (entry->machine);
  g_strfreev (entry->addresses);
  g_free (entry->domain_name);
  g_free (entry);
}

/* There is no domain, or it has just disappeared. */
static gboolean
set_no_domain (LmInventoryEntry *entry, const GError *failure, GError **error)
{
  switch (entry->machine->state)
    {
    case LM_MACHINE_STATE_COMPLETE:
      entry->state = "no domain";
      break;
    case LM_MACHINE_STATE_REPLACED:
      entry->state = "replaced";
      break;
    default:
      entry->state = "incomplete";
    }
  if (g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_error_copy (failure));
  return FALSE;
}

static gboolean
read_entry_state (LmVirt *virt, LmInventoryEntry *entry, gboolean addresses, GError **error)
{
  const LmMachine *machine = entry->machine;
  struct stat st;
  if (stat (machine->overlay, &st) == 0)
    entry->overlay_bytes = (guint64) st.st_blocks * 512;
  else
    entry->overlay_missing = errno == ENOENT && !machine->ephemeral;

  g_autoptr (GError) failure = NULL;
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (virt, machine->uuid, &failure);
  LmVirtState state;
  if (domain == NULL)
    return set_no_domain (entry, failure, error);
  if (lm_virt_domain_state (domain, &state, &failure))
    {
      const gboolean saved = state == LM_VIRT_STATE_SHUT_OFF && lm_virt_domain_has_saved_state (domain);
      entry->state = saved ? "saved" : lm_virt_state_name (state);
      entry->domain_name = g_strdup (lm_virt_domain_name (domain));
      if (addresses)
        entry->addresses = lm_virt_domain_addresses (domain);
      return TRUE;
    }
  return set_no_domain (entry, failure, error);
}

GPtrArray *
lm_inventory_list (const LmHost *host, LmVirt *virt, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) machines = lm_machine_list (host->state_dir, warnings, error);
  if (machines == NULL)
    return NULL;
  for (guint i = 0; i < warnings->len; i++)
    host->warning (host->user_data, g_ptr_array_index (warnings, i));

  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_inventory_entry_free);
  for (guint i = 0; i < machines->len; i++)
    {
      LmMachine *machine = g_ptr_array_index (machines, i);
      if (g_strcmp0 (machine->uri, lm_virt_uri (virt)) != 0)
        continue;
      LmInventoryEntry *entry = g_new0 (LmInventoryEntry, 1);
      machines->pdata[i] = NULL;
      entry->machine = machine;
      g_ptr_array_add (entries, entry);
      if (!read_entry_state (virt, entry, FALSE, error))
        return NULL;
    }
  return g_steal_pointer (&entries);
}

/* If several machines have the name, as a --replace may leave them, selects the one that has a domain. */
static gboolean
select_one_with_domain (const LmHost *host, LmVirt *virt, LmInventoryEntry *entry, GError **error)
{
  g_autoptr (GPtrArray) machines = lm_machine_list (host->state_dir, NULL, error);
  for (guint i = 0; machines != NULL && i < machines->len; i++)
    {
      LmMachine *machine = g_ptr_array_index (machines, i);
      g_autoptr (LmVirtDomain) domain = NULL;
      if (strcmp (machine->name, entry->machine->name) != 0 || g_strcmp0 (machine->uri, entry->machine->uri) != 0)
        continue;
      domain = lm_virt_find_uuid (virt, machine->uuid, NULL);
      if (domain == NULL)
        continue;
      lm_machine_free (entry->machine);
      entry->machine = machine;
      machines->pdata[i] = NULL;
      return TRUE;
    }
  return machines != NULL;
}

gboolean
lm_inventory_find_domain (const LmHost *host, LmVirt *virt, const char *name, LmMachine **out_machine, gboolean *out_taken,
                          GError **error)
{
  g_autoptr (GError) failure = NULL;
  *out_machine = NULL;
  *out_taken = FALSE;
  g_autoptr (LmVirtDomain) domain = lm_virt_find_name (virt, name, &failure);
  if (domain == NULL)
    {
      if (g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  g_autoptr (LmMachine) machine = lm_machine_load (host->state_dir, lm_virt_domain_uuid (domain), &failure);
  *out_taken = g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND);
  if (machine == NULL && !*out_taken)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), "there is a domain %s: ", name);
      return FALSE;
    }
  if (machine != NULL && g_strcmp0 (machine->uri, lm_virt_uri (virt)) == 0)
    *out_machine = g_steal_pointer (&machine);
  return TRUE;
}

const char *
lm_inventory_name (const LmInventoryEntry *entry)
{
  return entry->domain_name != NULL ? entry->domain_name : entry->machine->name;
}

gboolean
lm_inventory_throw_renamed (const char *name, const char *now, GError **error)
{
  return lm_throw (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND,
                   "the domain %s is not a machine of lamina, and the machine that was called %s is %s now", name, name, now);
}

LmInventoryEntry *
lm_inventory_find (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  g_autoptr (LmInventoryEntry) entry = g_new0 (LmInventoryEntry, 1);
  gboolean taken;
  if (!lm_inventory_find_domain (host, virt, name, &entry->machine, &taken, error))
    return NULL;
  if (entry->machine == NULL)
    {
      entry->machine = lm_machine_find (host->state_dir, name, lm_virt_uri (virt), error);
      if (entry->machine == NULL || !select_one_with_domain (host, virt, entry, error))
        return NULL;
    }
  if (!read_entry_state (virt, entry, TRUE, error))
    return NULL;
  if (taken && entry->domain_name != NULL)
    {
      (void) lm_inventory_throw_renamed (name, entry->domain_name, error);
      return NULL;
    }
  return g_steal_pointer (&entry);
}
