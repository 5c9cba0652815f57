/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/orphan.h"
#include "base/error.h"
#include "base/fault.h"
#include "machine/machine.h"
#include "ops/disk-usage.h"
#include "ops/remove.h"
#include "ops/usage.h"
#include "virt/domain.h"

#include <string.h>

static void
orphan_free (LmOrphan *orphan)
{
  g_free (orphan->refused);
  g_free (orphan);
}

/* Loads the machine, and connects to its libvirt if @virt is another one. *out_machine is NULL
 * if its domain is not gone any more, or it is gone itself. */
static gboolean
open_orphan (const LmHost *host, LmVirt *virt, const LmOrphan *orphan, LmVirt **out_own, LmMachine **out_machine, GError **error)
{
  g_autoptr (GError) failure = NULL;
  const LmLayerUser *user = orphan->user;
  g_autoptr (LmVirt) own = NULL;
  *out_machine = NULL;
  if (virt == NULL || strcmp (lm_virt_uri (virt), user->uri) != 0)
    virt = own = lm_virt_connect (user->uri, &host->libvirt, error);
  if (virt == NULL)
    return FALSE;
  g_autoptr (LmMachine) machine = lm_machine_load (host->state_dir, user->uuid, &failure);
  g_autoptr (LmVirtDomain) domain = machine != NULL ? lm_virt_find_uuid (virt, user->uuid, &failure) : NULL;
  if (domain != NULL || g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND)
      || (machine != NULL && machine->state != LM_MACHINE_STATE_COMPLETE))
    return TRUE;
  if (machine == NULL || !g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  *out_own = g_steal_pointer (&own);
  *out_machine = g_steal_pointer (&machine);
  return TRUE;
}

/* Sets orphan->refused. One that is none any more is not removed either. */
static gboolean
check_orphan (const LmHost *host, LmVirt *virt, LmOrphan *orphan, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmVirt) own = NULL;
  g_autoptr (LmMachine) machine = NULL;
  if (open_orphan (host, virt, orphan, &own, &machine, &failure) && machine == NULL)
    orphan->refused = g_strdup ("it has changed just now");
  else if (failure == NULL && lm_usage_check (host, own != NULL ? own : virt, machine, cancellable, &failure))
    return TRUE;
  else if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  else
    orphan->refused = g_strdup (failure->message);
  return TRUE;
}

GPtrArray *
lm_orphan_list (const LmHost *host, LmVirt *virt, const LmLayerUsers *users, gboolean check, GCancellable *cancellable,
                GError **error)
{
  g_autoptr (GPtrArray) orphans = g_ptr_array_new_with_free_func ((GDestroyNotify) orphan_free);
  for (guint i = 0; i < users->users->len; i++)
    {
      LmLayerUser *user = g_ptr_array_index (users->users, i);
      if (user->kind != LM_LAYER_USER_MACHINE || g_strcmp0 (user->state, "no domain") != 0)
        continue;
      LmOrphan *orphan = g_new0 (LmOrphan, 1);
      orphan->user = user;
      orphan->bytes = lm_disk_usage_measure (host, user->uuid);
      g_ptr_array_add (orphans, orphan);
      if (check && !check_orphan (host, virt, orphan, cancellable, error))
        return NULL;
    }
  return g_steal_pointer (&orphans);
}

gboolean
lm_orphan_remove (const LmHost *host, LmVirt *virt, const LmOrphan *orphan, gboolean *out_removed, GCancellable *cancellable,
                  GError **error)
{
  g_autoptr (LmVirt) own = NULL;
  g_autoptr (LmMachine) machine = NULL;
  *out_removed = FALSE;
  if (!open_orphan (host, virt, orphan, &own, &machine, error))
    return FALSE;
  if (machine == NULL)
    return TRUE;
  *out_removed = TRUE;
  return lm_fault_point ("collect-before-orphan", error)
         && lm_remove_machine (host, own != NULL ? own : virt, machine, cancellable, error);
}
