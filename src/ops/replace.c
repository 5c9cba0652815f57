/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/replace.h"
#include "base/fault.h"
#include "ops/machine-domain.h"
#include "ops/remove.h"

#include <string.h>
#include <unistd.h>

/* Whether the variables of UEFI are in the machine's own directory, which stays
 * while it is set aside. Where libvirt keeps them they have the machine's name,
 * and the next one of that name would get them. */
static gboolean
has_own_nvram (const LmMachine *machine)
{
  return access (machine->nvram, F_OK) == 0;
}

/* How to put @domain back, into the record. */
static gboolean
note (LmVirtDomain *domain, LmMachine *machine, GError **error)
{
  g_autofree char *xml = lm_virt_domain_xml (domain, error);
  gboolean persistent = FALSE;
  gboolean autostart = FALSE;
  if (xml == NULL || !lm_virt_domain_is_persistent (domain, &persistent, error)
      || (persistent && !lm_virt_domain_get_autostart (domain, &autostart, error)))
    return FALSE;
  g_free (machine->aside);
  machine->aside = g_steal_pointer (&xml);
  machine->aside_autostart = autostart;
  return lm_machine_save (machine, error);
}

gboolean
lm_replace_set_aside (LmVirt *virt, LmMachine *machine, gboolean *out_ran, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  if (!lm_machine_domain_find (virt, machine, &domain, error))
    return FALSE;
  *out_ran = FALSE;
  if (domain == NULL)
    {
      g_free (machine->aside);
      machine->aside = g_strdup ("");
      return lm_machine_save (machine, error);
    }
  gboolean ran = lm_virt_domain_is_active (domain);
  if (!note (domain, machine, error))
    return FALSE;
  *out_ran = ran;
  return lm_fault_point ("replace-before-undefine", error) && lm_machine_domain_remove (domain, has_own_nvram (machine), error)
         && lm_fault_point ("replace-after-undefine", error);
}

static gboolean
bring_back (LmVirt *virt, const LmMachine *machine, gboolean start, GError **error)
{
  /* It may not have gone, or only half. */
  g_autoptr (LmVirtDomain) domain = NULL;
  if (!lm_machine_domain_find (virt, machine, &domain, error))
    return FALSE;
  if (machine->transient)
    {
      if (domain == NULL && start)
        domain = lm_virt_create (virt, machine->aside, machine->name, machine->uuid, error);
      return domain != NULL || !start;
    }
  if (domain == NULL)
    domain = lm_virt_define (virt, machine->aside, machine->name, machine->uuid, error);
  if (domain == NULL || (machine->aside_autostart && !lm_virt_domain_set_autostart (domain, TRUE, error)))
    return FALSE;
  return !start || lm_virt_domain_is_active (domain) || lm_virt_domain_start (domain, error);
}

gboolean
lm_replace_put_back (LmVirt *virt, LmMachine *machine, gboolean start, GError **error)
{
  if (machine->aside == NULL)
    return TRUE;
  if (*machine->aside != '\0' && !bring_back (virt, machine, start, error))
    return FALSE;
  g_clear_pointer (&machine->aside, g_free);
  machine->aside_autostart = FALSE;
  return lm_machine_save (machine, error);
}

/* Of @name on @virt's connection; the rest leave the list. */
static void
keep_matching (GPtrArray *list, LmVirt *virt, const char *name)
{
  for (guint i = list->len; i > 0; i--)
    {
      const LmMachine *machine = g_ptr_array_index (list, i - 1);
      if (strcmp (machine->name, name) != 0 || g_strcmp0 (machine->uri, lm_virt_uri (virt)) != 0)
        g_ptr_array_remove_index (list, i - 1);
    }
}

gboolean
lm_replace_settle (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  lm_machine_sweep (host->state_dir);
  g_autoptr (GPtrArray) list = lm_machine_list (host->state_dir, NULL, error);
  if (list == NULL)
    return FALSE;
  keep_matching (list, virt, name);
  gboolean won = FALSE;
  for (guint i = 0; i < list->len; i++)
    {
      LmMachine *machine = g_ptr_array_index (list, i);
      won = won || (machine->complete && machine->aside == NULL);
      if (!machine->complete && !lm_remove_machine (host, virt, machine, error))
        return FALSE;
    }
  for (guint i = 0; i < list->len; i++)
    {
      LmMachine *machine = g_ptr_array_index (list, i);
      if (!machine->complete || machine->aside == NULL)
        continue;
      if (won ? !lm_remove_machine (host, virt, machine, error) : !lm_replace_put_back (virt, machine, FALSE, error))
        return FALSE;
    }
  return TRUE;
}
