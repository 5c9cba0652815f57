/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/recover.h"
#include "base/fault.h"
#include "ops/machine-domain.h"
#include "ops/remove.h"
#include "ops/replace.h"

#include <string.h>

/* A machine of the name, and what is there of it. */
typedef struct
{
  LmMachine *machine;
  gboolean has_domain;
  gboolean ran;
  gboolean superseded;
} Found;

static void
found_free (Found *found)
{
  lm_machine_free (found->machine);
  g_free (found);
}

static void
warn (const LmHost *host, const LmMachine *machine, const char *what)
{
  g_autofree char *text = g_strdup_printf ("%s (%s) %s", machine->name, machine->dir, what);
  host->warning (host->user_data, text);
}

/* The machines called @name on @virt's connection (Found). */
static GPtrArray *
find_machines (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  g_autoptr (GPtrArray) list = lm_machine_list (host->state_dir, NULL, error);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) found_free);
  for (guint i = 0; list != NULL && i < list->len; i++)
    {
      LmMachine *machine = g_ptr_array_index (list, i);
      if (strcmp (machine->name, name) != 0 || g_strcmp0 (machine->uri, lm_virt_uri (virt)) != 0)
        continue;
      g_autoptr (LmVirtDomain) domain = NULL;
      Found *found = g_new0 (Found, 1);
      found->machine = machine;
      list->pdata[i] = NULL;
      g_ptr_array_add (all, found);
      lm_machine_remove_temporaries (machine);
      if (!lm_machine_domain_has_run (virt, machine, &domain, &found->ran, error))
        return NULL;
      found->has_domain = domain != NULL;
    }
  return list != NULL ? g_steal_pointer (&all) : NULL;
}

/* Whether all that is left to do with it is to remove it. */
static gboolean
is_to_go (const Found *found)
{
  return found->machine->state == LM_MACHINE_STATE_REMOVING
         || (found->machine->state == LM_MACHINE_STATE_CREATING && !found->ran);
}

static const Found *
find_complete (const GPtrArray *all)
{
  for (guint i = 0; i < all->len; i++)
    {
      const Found *found = g_ptr_array_index (all, i);
      if (found->machine->state == LM_MACHINE_STATE_COMPLETE)
        return found;
    }
  return NULL;
}

/* *out_successor: what @machine was to be, or was, replaced by; NULL: it is gone. */
static gboolean
find_successor (const LmHost *host, const GPtrArray *all, const LmMachine *machine, Found **out_successor, GError **error)
{
  *out_successor = NULL;
  for (guint i = 0; i < all->len; i++)
    {
      Found *found = g_ptr_array_index (all, i);
      if (g_strcmp0 (found->machine->uuid, machine->replaced_by) == 0)
        *out_successor = found;
    }
  if (*out_successor != NULL || machine->replaced_by == NULL)
    return TRUE;
  /* One whose record cannot be read is not gone. */
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmMachine) other G_GNUC_UNUSED = lm_machine_load (host->state_dir, machine->replaced_by, &failure);
  if (failure == NULL || g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_prefixed_error (error, g_steal_pointer (&failure), "%s was to be replaced: ", machine->name);
  return FALSE;
}

static gboolean
put_back (const LmHost *host, LmVirt *virt, Found *found, Found *successor, GError **error)
{
  if (successor != NULL && is_to_go (successor))
    {
      if (!lm_remove_domain (virt, successor->machine, error))
        return FALSE;
      successor->has_domain = FALSE;
    }
  return lm_replace_roll_back (host, virt, found->machine, error);
}

static gboolean
recover_replaced (const LmHost *host, LmVirt *virt, const GPtrArray *all, Found *found, GError **error)
{
  Found *successor;
  if (!find_successor (host, all, found->machine, &successor, error))
    return FALSE;
  gboolean came_to_be = successor != NULL
                        && (successor->machine->state == LM_MACHINE_STATE_COMPLETE
                            || successor->machine->state == LM_MACHINE_STATE_REPLACED);
  if (came_to_be && found->has_domain)
    return lm_machine_change_state (found->machine, LM_MACHINE_STATE_COMPLETE, error);
  found->superseded = came_to_be;
  if (came_to_be)
    return TRUE;
  if (found->has_domain || find_complete (all) == NULL)
    return put_back (host, virt, found, successor, error);
  warn (host, found->machine, "was replaced by a machine that is gone, and another one has the name; it stays");
  return TRUE;
}

/* One that a killed run was making, whose guest has run. */
static gboolean
recover_created (const LmHost *host, const GPtrArray *all, Found *found, GError **error)
{
  if (found->has_domain || find_complete (all) == NULL)
    return lm_machine_change_state (found->machine, LM_MACHINE_STATE_COMPLETE, error);
  warn (host, found->machine, "was left by a run that was killed; its guest has run, so its disk stays, but another machine "
                              "has the name: remove that directory if nothing in it is needed");
  return TRUE;
}

static gboolean
recover_all (const LmHost *host, LmVirt *virt, const GPtrArray *all, GError **error)
{
  /* First what came to be, for that decides on the others. */
  for (guint i = 0; i < all->len; i++)
    {
      Found *found = g_ptr_array_index (all, i);
      if (found->machine->state == LM_MACHINE_STATE_CREATING && found->ran && found->has_domain
          && !recover_created (host, all, found, error))
        return FALSE;
    }
  for (guint i = 0; i < all->len; i++)
    {
      Found *found = g_ptr_array_index (all, i);
      if (found->machine->state == LM_MACHINE_STATE_REPLACED && !recover_replaced (host, virt, all, found, error))
        return FALSE;
    }
  for (guint i = 0; i < all->len; i++)
    {
      Found *found = g_ptr_array_index (all, i);
      gboolean ok = is_to_go (found)                                       ? lm_remove_machine (host, virt, found->machine, error)
                    : found->machine->state == LM_MACHINE_STATE_CREATING ? recover_created (host, all, found, error)
                                                                         : TRUE;
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

GPtrArray *
lm_recover (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  lm_machine_remove_leftovers (host->state_dir);
  g_autoptr (GPtrArray) all = find_machines (host, virt, name, error);
  if (all == NULL || !recover_all (host, virt, all, error))
    return NULL;
  GPtrArray *superseded = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_machine_free);
  for (guint i = 0; i < all->len; i++)
    {
      Found *found = g_ptr_array_index (all, i);
      if (found->superseded)
        g_ptr_array_add (superseded, g_steal_pointer (&found->machine));
    }
  return superseded;
}

/* Takes one out of @superseded that replaced none of the others: while its successor is
 * there, it is known what to do with it. */
static LmMachine *
steal_oldest (GPtrArray *superseded)
{
  for (guint i = 0; i < superseded->len; i++)
    {
      const LmMachine *machine = g_ptr_array_index (superseded, i);
      gboolean replaced = FALSE;
      for (guint j = 0; j < superseded->len; j++)
        {
          const LmMachine *other = g_ptr_array_index (superseded, j);
          replaced = replaced || g_strcmp0 (other->replaced_by, machine->uuid) == 0;
        }
      if (!replaced)
        return g_ptr_array_steal_index (superseded, i);
    }
  return NULL;
}

static gboolean
remove_superseded (const LmHost *host, LmVirt *virt, LmMachine *machine, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  if (!lm_fault_point ("replace-before-remove", error) || !lm_machine_domain_find (virt, machine, &domain, error))
    return FALSE;
  if (domain == NULL)
    return lm_remove_machine (host, virt, machine, error);
  warn (host, machine, "was replaced, but its domain is back; it stays");
  return lm_machine_change_state (machine, LM_MACHINE_STATE_COMPLETE, error);
}

void
lm_recover_remove_superseded (const LmHost *host, LmVirt *virt, GPtrArray *superseded)
{
  g_autoptr (GError) failure = NULL;
  for (LmMachine *next = steal_oldest (superseded); next != NULL && failure == NULL; next = steal_oldest (superseded))
    {
      g_autoptr (LmMachine) machine = next;
      if (remove_superseded (host, virt, machine, &failure))
        continue;
      g_autofree char *text = g_strdup_printf ("was replaced, but something of the old one is left; the next launch or rm "
                                               "removes it: %s", failure->message);
      warn (host, machine, text);
    }
  g_ptr_array_set_size (superseded, 0);
}
