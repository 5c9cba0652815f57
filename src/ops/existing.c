/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/existing.h"
#include "base/error.h"
#include "ops/launch.h"
#include "ops/machine-domain.h"

#include <string.h>

void
lm_existing_free (LmExisting *existing)
{
  if (existing == NULL)
    return;
  lm_virt_domain_free (existing->domain);
  lm_machine_free (existing->machine);
  lm_lock_release (existing->lock);
  g_free (existing);
}

/* Loads the record of the domain that has the name. */
static LmMachine *
load_domain_machine (const LmHost *host, LmVirt *virt, const LmVirtDomain *domain, const char *name, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmMachine) machine = lm_machine_load (host->state_dir, lm_virt_domain_uuid (domain), &failure);
  if (g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND))
    return lm_throw_null (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                          "there is a domain %s that was not created from this state directory; choose another name",
                          name);
  if (machine == NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), "there is a domain %s: ", name);
      return NULL;
    }
  if (machine->uri != NULL && strcmp (machine->uri, lm_virt_uri (virt)) != 0)
    return lm_throw_null (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                          "the machine %s was created on %s, not on %s; use that for --connect", name, machine->uri,
                          lm_virt_uri (virt));
  return g_steal_pointer (&machine);
}

/* The caller holds the lock of the new name; as somebody may be waiting for that and
 * hold the lock of the old one, this does not wait. */
static gboolean
lock_renamed (const LmHost *host, const char *name, LmExisting *existing, GError **error)
{
  const LmMachine *machine = existing->machine;
  if (strcmp (machine->name, name) == 0)
    return TRUE;
  existing->lock = lm_machine_lock (host->state_dir, machine->name, 0, NULL, error);
  if (existing->lock == NULL)
    return FALSE;
  return machine->state == LM_MACHINE_STATE_COMPLETE
         || lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                      "the domain %s is the machine %s under another name, which another run created only in part or "
                      "began to remove; \"lamina rm %s\" removes it", name, machine->name, name);
}

static gboolean
find_existing_domain (const LmHost *host, LmVirt *virt, const char *name, LmExisting *existing, GError **error)
{
  existing->machine = load_domain_machine (host, virt, existing->domain, name, error);
  return existing->machine != NULL && lock_renamed (host, name, existing, error)
         && lm_machine_domain_check (existing->machine, existing->domain, error)
         && lm_machine_domain_is_active (existing->domain, &existing->active, error);
}

/* There is no domain @name, but a machine of that name may have a corrupt record
 * and a disk. If libvirt knows the domain of such a record, it has a different
 * name. */
static gboolean
check_corrupt (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  g_autoptr (GPtrArray) messages = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) corrupt = lm_machine_list_corrupt (host->state_dir, messages, error);
  for (guint i = 0; corrupt != NULL && i < corrupt->len; i++)
    {
      const char *uuid = g_ptr_array_index (corrupt, i);
      g_autoptr (GError) failure = NULL;
      g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (virt, uuid, &failure);
      if (domain != NULL)
        continue;
      if (g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
        return lm_machine_throw_corrupt (name, g_ptr_array_index (messages, i), error);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return corrupt != NULL;
}

/* No domain has the name, but there may be a record: of a transient domain, or of a
 * machine whose domain was undefined or renamed. */
static gboolean
find_existing_record (const LmHost *host, LmVirt *virt, const char *name, LmExisting *existing, GError **error)
{
  g_autoptr (GError) failure = NULL;
  existing->machine = lm_machine_find (host->state_dir, name, lm_virt_uri (virt), &failure);
  if (existing->machine == NULL)
    {
      if (g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND))
        return TRUE;
      if (g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT))
        return check_corrupt (host, virt, name, error);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  /* The user means a machine with this name; this one has a different name now. */
  g_autoptr (LmVirtDomain) renamed = NULL;
  if (!lm_machine_domain_find (virt, existing->machine, &renamed, error))
    return FALSE;
  if (renamed != NULL)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "the domain of the machine %s was renamed to %s, by which launch starts it; \"virsh domrename %s %s\" "
                     "restores its name, \"lamina rm %s\" removes it", name, lm_virt_domain_name (renamed),
                     lm_virt_domain_name (renamed), name, name);
  return TRUE;
}

LmExisting *
lm_existing_find (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  g_autoptr (LmExisting) existing = g_new0 (LmExisting, 1);
  g_autoptr (GError) failure = NULL;
  existing->domain = lm_virt_find_name (virt, name, &failure);
  if (existing->domain == NULL && !g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  gboolean found = existing->domain != NULL ? find_existing_domain (host, virt, name, existing, error)
                                            : find_existing_record (host, virt, name, existing, error);
  return found ? g_steal_pointer (&existing) : NULL;
}

LmMatch
lm_existing_matches (const LmExisting *existing, char **requested, const LmPlan *plan)
{
  const LmMachine *machine = existing->machine;
  if (existing->domain == NULL || machine == NULL)
    return LM_MATCH_NO;
  return lm_match_selections (requested, machine->resolved, machine->layers, plan);
}
