/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/recover.h"
#include "base/fault.h"
#include "ops/machine-domain.h"
#include "ops/remove.h"
#include "ops/replace.h"

#include <string.h>

/* A machine with the name, and what exists of it. */
typedef struct
{
  LmMachine *machine;
  gboolean has_domain;
  gboolean ran;
  gboolean superseded;
} FoundMachine;

static void
found_machine_free (FoundMachine *found)
{
  lm_machine_free (found->machine);
  g_free (found);
}

static void
warn_about_record (const LmHost *host, const LmMachine *machine, const char *what)
{
  g_autofree char *text = g_strdup_printf ("%s (%s) %s", machine->name, machine->dir, what);
  host->warning (host->user_data, text);
}

/* Returns the machines called @name on the connection @virt (FoundMachine). */
static GPtrArray *
find_machines (const LmHost *host, LmVirt *virt, const char *name, GError **error)
{
  g_autoptr (GPtrArray) list = lm_machine_list (host->state_dir, NULL, error);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) found_machine_free);
  for (guint i = 0; list != NULL && i < list->len; i++)
    {
      LmMachine *machine = g_ptr_array_index (list, i);
      if (strcmp (machine->name, name) != 0 || g_strcmp0 (machine->uri, lm_virt_uri (virt)) != 0)
        continue;
      g_autoptr (LmVirtDomain) domain = NULL;
      FoundMachine *found = g_new0 (FoundMachine, 1);
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

/* Whether the machine is to be removed. */
static gboolean
is_to_be_removed (const FoundMachine *found)
{
  return found->machine->state == LM_MACHINE_STATE_REMOVING
         || (found->machine->state == LM_MACHINE_STATE_CREATING && !found->ran);
}

static const FoundMachine *
find_complete (const GPtrArray *all)
{
  for (guint i = 0; i < all->len; i++)
    {
      const FoundMachine *found = g_ptr_array_index (all, i);
      if (found->machine->state == LM_MACHINE_STATE_COMPLETE)
        return found;
    }
  return NULL;
}

/* Sets *out_successor to the machine that replaced, or was to replace, @machine;
 * NULL if it no longer exists. */
static gboolean
find_successor (const LmHost *host, const GPtrArray *all, const LmMachine *machine, FoundMachine **out_successor,
                GError **error)
{
  *out_successor = NULL;
  for (guint i = 0; i < all->len; i++)
    {
      FoundMachine *found = g_ptr_array_index (all, i);
      if (g_strcmp0 (found->machine->uuid, machine->replaced_by) == 0)
        *out_successor = found;
    }
  if (*out_successor != NULL || machine->replaced_by == NULL)
    return TRUE;
  /* A machine whose record cannot be read still exists. */
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmMachine) other G_GNUC_UNUSED = lm_machine_load (host->state_dir, machine->replaced_by, &failure);
  if (failure == NULL || g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_prefixed_error (error, g_steal_pointer (&failure), "%s was being replaced: ", machine->name);
  return FALSE;
}

static gboolean
restore_replaced (const LmHost *host, LmVirt *virt, FoundMachine *found, FoundMachine *successor, GError **error)
{
  if (successor != NULL && is_to_be_removed (successor))
    {
      if (!lm_remove_domain (virt, successor->machine, error))
        return FALSE;
      successor->has_domain = FALSE;
    }
  return lm_replace_roll_back (host, virt, found->machine, error);
}

static gboolean
recover_replaced (const LmHost *host, LmVirt *virt, const GPtrArray *all, FoundMachine *found, GError **error)
{
  FoundMachine *successor;
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
    return restore_replaced (host, virt, found, successor, error);
  warn_about_record (host, found->machine,
                      "was replaced by a machine that no longer exists, and another machine has the name; it is kept");
  return TRUE;
}

/* Handles a machine that a killed run was creating and whose guest has run. */
static gboolean
complete_created (const LmHost *host, const GPtrArray *all, FoundMachine *found, GError **error)
{
  if (found->has_domain || find_complete (all) == NULL)
    return lm_machine_change_state (found->machine, LM_MACHINE_STATE_COMPLETE, error);
  warn_about_record (host, found->machine,
                      "was left by a run that was killed; it is kept because its guest has run, but another machine "
                      "has the name; remove that directory if nothing in it is needed");
  return TRUE;
}

static gboolean
recover_all (const LmHost *host, LmVirt *virt, const GPtrArray *all, GError **error)
{
  /* First those that were created successfully, because the others depend on them. */
  for (guint i = 0; i < all->len; i++)
    {
      FoundMachine *found = g_ptr_array_index (all, i);
      if (found->machine->state == LM_MACHINE_STATE_CREATING && found->ran && found->has_domain
          && !complete_created (host, all, found, error))
        return FALSE;
    }
  for (guint i = 0; i < all->len; i++)
    {
      FoundMachine *found = g_ptr_array_index (all, i);
      if (found->machine->state == LM_MACHINE_STATE_REPLACED && !recover_replaced (host, virt, all, found, error))
        return FALSE;
    }
  for (guint i = 0; i < all->len; i++)
    {
      FoundMachine *found = g_ptr_array_index (all, i);
      gboolean ok = TRUE;
      if (is_to_be_removed (found))
        ok = lm_remove_machine (host, virt, found->machine, NULL, error);
      else if (found->machine->state == LM_MACHINE_STATE_CREATING)
        ok = complete_created (host, all, found, error);
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
      FoundMachine *found = g_ptr_array_index (all, i);
      if (found->superseded)
        g_ptr_array_add (superseded, g_steal_pointer (&found->machine));
    }
  return superseded;
}

/* Takes a machine out of @superseded that replaced none of the others: as long as
 * its successor exists, it is known how to handle it. */
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
    return lm_remove_machine (host, virt, machine, NULL, error);
  warn_about_record (host, machine, "was replaced, but its domain was restored, so it is kept");
  return lm_machine_change_state (machine, LM_MACHINE_STATE_COMPLETE, error);
}

void
lm_recover_remove_superseded (const LmHost *host, LmVirt *virt, GPtrArray *superseded)
{
  g_autoptr (GError) failure = NULL;
  while (failure == NULL)
    {
      g_autoptr (LmMachine) machine = steal_oldest (superseded);
      if (machine == NULL)
        break;
      if (remove_superseded (host, virt, machine, &failure))
        continue;
      g_autofree char *text = g_strdup_printf ("was replaced, but the old machine was not removed completely; the next "
                                               "launch or rm will do so: %s", failure->message);
      warn_about_record (host, machine, text);
    }
  g_ptr_array_set_size (superseded, 0);
}
