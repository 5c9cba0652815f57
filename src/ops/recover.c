/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/recover.h"
#include "image/overlay.h"
#include "ops/machine-domain.h"
#include "ops/remove.h"
#include "ops/replace.h"

#include <string.h>

/* The machines called @name on @virt's connection. */
static GPtrArray *
list_machines (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  g_autoptr (GPtrArray) list = lm_machine_list (host->state_dir, NULL, error);
  for (guint i = list != NULL ? list->len : 0; i > 0; i--)
    {
      const LmMachine *machine = g_ptr_array_index (list, i - 1);
      if (strcmp (machine->name, name) != 0 || g_strcmp0 (machine->uri, lm_virt_uri (virt)) != 0)
        g_ptr_array_remove_index (list, i - 1);
    }
  return g_steal_pointer (&list);
}

static gboolean
has_run (LmVirt *virt, const LmMachine *machine, gboolean *out_ran, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  gboolean active = FALSE;
  gboolean pristine = TRUE;
  if (!lm_machine_domain_find (virt, machine, &domain, error)
      || (domain != NULL && !lm_machine_domain_is_active (domain, &active, error))
      || !lm_overlay_is_pristine (machine->overlay, &pristine, error))
    return FALSE;
  *out_ran = active || !pristine;
  return TRUE;
}

/* One that a killed run was making or removing. */
static gboolean
recover_one (const LmHost *host, LmVirt *virt, LmMachine *machine, GError **error)
{
  if (machine->state == LM_MACHINE_STATE_REMOVING)
    return lm_remove_machine (host, virt, machine, error);
  if (machine->state != LM_MACHINE_STATE_CREATING)
    return TRUE;
  gboolean ran;
  if (!has_run (virt, machine, &ran, error))
    return FALSE;
  if (!ran)
    return lm_remove_machine (host, virt, machine, error);
  return lm_machine_change_state (machine, LM_MACHINE_STATE_COMPLETE, error);
}

GPtrArray *
lm_recover (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  lm_machine_remove_leftovers (host->state_dir);
  g_autoptr (GPtrArray) list = list_machines (host, virt, name, error);
  g_autoptr (GPtrArray) superseded = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_machine_free);
  gboolean replaced = FALSE;
  for (guint i = 0; list != NULL && i < list->len; i++)
    {
      LmMachine *machine = g_ptr_array_index (list, i);
      lm_machine_remove_temporaries (machine);
      if (!recover_one (host, virt, machine, error))
        return NULL;
      replaced = replaced || machine->state == LM_MACHINE_STATE_COMPLETE;
    }
  for (guint i = list != NULL ? list->len : 0; i > 0; i--)
    {
      LmMachine *machine = g_ptr_array_index (list, i - 1);
      if (machine->state != LM_MACHINE_STATE_REPLACED)
        continue;
      if (replaced)
        g_ptr_array_add (superseded, g_ptr_array_steal_index (list, i - 1));
      else if (!lm_replace_roll_back (host, virt, machine, error))
        return NULL;
    }
  return list != NULL ? g_steal_pointer (&superseded) : NULL;
}
