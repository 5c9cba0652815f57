/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/creation.h"
#include "base/error.h"
#include "base/fault.h"
#include "ops/blueprint.h"
#include "ops/emulator.h"
#include "ops/launch.h"
#include "ops/machine-domain.h"
#include "ops/obstacle.h"
#include "ops/port.h"
#include "ops/remove.h"
#include "ops/replace.h"

void
lm_creation_free (LmCreation *creation)
{
  if (creation == NULL)
    return;
  (void) !lm_disks_finish (creation->sync, NULL);
  lm_virt_domain_free (creation->domain);
  lm_machine_free (creation->machine);
  lm_machine_free (creation->replaced);
  g_free (creation);
}

static void
warn_about_failure (const LmHost *host, const LmMachine *machine, const char *what, const GError *failure)
{
  g_autofree char *text = g_strdup_printf ("%s %s: %s", machine->name, what, failure->message);
  host->warning (host->user_data, text);
}

/* Whether the host provides what the machine needs to start. */
static gboolean
check_obstacles (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const LmPlan *plan,
                 const LmMachine *replaced, gboolean replaced_active, GError **error)
{
  if (lm_virt_is_local (virt)
      && !lm_port_check (virt, host->state_dir, request->publish, replaced, replaced_active, error))
    return FALSE;
  return lm_obstacles_check (virt, request, plan->arch, error);
}

/* Finds contradictions before anything is created. */
static gboolean
check_request (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const LmPlan *plan,
               const LmMachine *replaced, gboolean replaced_active, GCancellable *cancellable, GError **error)
{
  if (request->wait && plan->ready == NULL)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_REQUEST,
                     "--wait: the catalog does not say how the console shows that the guest is up (\"ready\")");
  if (replaced != NULL && !lm_replace_check (host, virt, replaced, cancellable, error))
    return FALSE;
  if (!request->start)
    lm_obstacles_warn (host, virt, request, plan->arch);
  g_autofree char *record = g_build_filename (host->state_dir, "machines", "record", NULL);
  if (!lm_emulator_check_dir (virt, record, error))
    return FALSE;
  if (request->start)
    return check_obstacles (host, virt, request, plan, replaced, replaced_active, error);
  return !lm_virt_is_local (virt) || lm_port_check_rights (virt, request->publish, error);
}

/* Repeats the checks, because their results may have changed during the pull. The
 * machine to be replaced is still running, and continues to run if this fails. */
static gboolean
repeat_checks (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const LmPlan *plan,
               const LmMachine *replaced, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  gboolean active = FALSE;
  if (!lm_machine_domain_find (virt, replaced, &domain, error)
      || (domain != NULL && !lm_machine_domain_is_active (domain, &active, error)))
    return FALSE;
  if (domain != NULL && !request->replace)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "the domain %s has been created again; --replace removes it and its disk", replaced->name);
  return (!request->start || check_obstacles (host, virt, request, plan, replaced, active, error))
         && lm_replace_check (host, virt, replaced, cancellable, error);
}

static gboolean
create_machine_domain (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const char *xml,
                       LmCreation *creation, GError **error)
{
  const LmMachine *machine = creation->machine;
  if (!lm_fault_point ("launch-before-define", error))
    return FALSE;
  g_autoptr (GError) failure = NULL;
  creation->domain = request->transient ? lm_virt_create (virt, xml, machine->name, machine->uuid, &failure)
                                        : lm_virt_define (virt, xml, machine->name, machine->uuid, error);
  if (creation->domain == NULL)
    return request->transient
           && lm_machine_domain_throw_start (host, virt, machine, g_steal_pointer (&failure), error);
  creation->started = request->transient;
  if (request->autostart && !lm_virt_domain_set_autostart (creation->domain, TRUE, error))
    return FALSE;
  return lm_fault_point ("launch-after-define", error);
}

/* Creates the disks and the domain. libvirt does not look at a disk before the
 * start, so both are created at the same time, unless the domain starts immediately
 * or replaces another machine, which must not be stopped in vain. */
static gboolean
create_disks_and_domain (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, const LmPlan *plan,
                         const char *xml, LmCreation *creation, GCancellable *cancellable, GError **error)
{
  LmDisksJob *disks = lm_disks_begin (host, request, plan, creation->machine, cancellable);
  g_autoptr (GError) failure = NULL;
  gboolean disks_first = request->transient || creation->replaced != NULL;
  gboolean defined = !disks_first && create_machine_domain (host, virt, request, xml, creation, &failure);
  if (!lm_disks_finish (disks, error))
    return FALSE;
  creation->sync = lm_disks_begin_sync (plan, creation->machine, error);
  if (creation->sync == NULL)
    return FALSE;
  if (creation->replaced != NULL
      && (!repeat_checks (host, virt, request, plan, creation->replaced, cancellable, error)
          || !lm_replace_begin (virt, creation->replaced, creation->machine->uuid, error)))
    return FALSE;
  if (disks_first)
    return create_machine_domain (host, virt, request, xml, creation, error);
  if (!defined)
    g_propagate_error (error, g_steal_pointer (&failure));
  return defined;
}

LmCreation *
lm_creation_new (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, char **requested, const LmPlan *plan,
                 LmMachine *replaced, gboolean replaced_active, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmCreation) creation = g_new0 (LmCreation, 1);
  creation->replaced = replaced;
  if (!check_request (host, virt, request, plan, replaced, replaced_active, cancellable, error))
    return NULL;
  /* Held until record and overlay refer to the layers, so that nobody deletes them in the meantime. */
  G_GNUC_UNUSED g_autoptr (LmLock) lease = NULL;
  if (!lm_prepare_pull (host, plan, &creation->prepared, &lease, cancellable, error))
    return NULL;
  creation->machine = lm_blueprint_machine (host, lm_virt_uri (virt), request, requested, plan);
  g_autofree char *xml = lm_blueprint_xml (host, virt, request, plan, creation->machine, cancellable, error);
  if (xml == NULL || !lm_machine_note_files (creation->machine, xml, error))
    return NULL;
  if (lm_machine_save (creation->machine, error)
      && create_disks_and_domain (host, virt, request, plan, xml, creation, cancellable, error)
      && !g_cancellable_set_error_if_cancelled (cancellable, error))
    return g_steal_pointer (&creation);
  lm_creation_roll_back (host, virt, creation);
  return NULL;
}

gboolean
lm_creation_commit (LmCreation *creation, GError **error)
{
  if (!lm_disks_finish (g_steal_pointer (&creation->sync), error))
    return FALSE;
  return lm_fault_point ("launch-before-commit", error)
         && lm_machine_change_state (creation->machine, LM_MACHINE_STATE_COMPLETE, error);
}

void
lm_creation_roll_back (const LmHost *host, LmVirt *virt, LmCreation *creation)
{
  g_autoptr (GError) failure = NULL;
  /* Its domain may have been created even if the answer was lost. */
  if (!lm_fault_point ("roll-back", &failure) || !lm_remove_domain (virt, creation->machine, &failure))
    {
      warn_about_failure (host, creation->machine, "could not be rolled back; the next launch or rm will do so",
                          failure);
      return;
    }
  if (creation->replaced != NULL && !lm_replace_roll_back (host, virt, creation->replaced, &failure))
    warn_about_failure (host, creation->machine, "could not be restored; the next launch will try again", failure);
  g_clear_error (&failure);
  if (!lm_remove_machine (host, virt, creation->machine, NULL, &failure))
    warn_about_failure (host, creation->machine,
                        "was rolled back, but not removed completely; the next launch or rm will do so", failure);
}
