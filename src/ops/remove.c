/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/remove.h"
#include "base/error.h"
#include "ops/machine-domain.h"
#include "ops/usage.h"

gboolean
lm_remove_machine (const LmHost *host, LmVirt *virt, LmMachine *machine, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  if (!lm_machine_domain_find (virt, machine, &domain, error) || !lm_usage_check (host, virt, machine, error))
    return FALSE;
  if (domain != NULL && !lm_machine_domain_remove (domain, FALSE, error))
    return FALSE;
  /* Killed from here on, the next run takes the rest away instead of asking
   * about a disk that may be gone. A full disk must not keep it from going. */
  if (machine->complete)
    {
      machine->complete = FALSE;
      (void) !lm_machine_save (machine, NULL);
    }
  return lm_machine_erase (machine, error);
}

/* There are two of a name where a --replace was killed. */
static gboolean
remove_all (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  gboolean removed = FALSE;
  for (;;)
    {
      g_autoptr (GError) failure = NULL;
      g_autoptr (LmMachine) machine = lm_machine_find (host->state_dir, name, lm_virt_uri (virt), &failure);
      if (machine == NULL && removed && failure->domain == LM_MACHINE_ERROR)
        return TRUE;
      if (machine == NULL)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      if (!lm_remove_machine (host, virt, machine, error))
        return FALSE;
      removed = TRUE;
    }
}

gboolean
lm_remove (const LmHost *host, const char *name, GCancellable *cancellable, GError **error)
{
  if (!lm_domain_name_check (name, error))
    return FALSE;
  g_autoptr (LmLock) lock = lm_machine_lock (host->state_dir, name, cancellable, error);
  g_autoptr (LmVirt) virt = lock ? lm_virt_connect (host->uri, &host->libvirt, error) : NULL;
  gboolean removed = virt != NULL && remove_all (host, virt, name, error);
  if (lock == NULL)
    return FALSE;
  g_autoptr (LmMachine) there = lm_machine_find (host->state_dir, name, NULL, NULL);
  if (there == NULL)
    lm_lock_remove_file (lock);
  return removed;
}
