/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/launch.h"
#include "base/error.h"
#include "machine/disk.h"
#include "machine/history.h"
#include "ops/creation.h"
#include "ops/existing.h"
#include "ops/machine-domain.h"
#include "ops/name-lock.h"
#include "ops/readiness.h"
#include "ops/recover.h"
#include "ops/supply.h"

G_DEFINE_QUARK (lm-launch-error-quark, lm_launch_error)

void
lm_launch_result_free (LmLaunchResult *result)
{
  if (result == NULL)
    return;
  lm_machine_free (result->machine);
  lm_virt_domain_free (result->domain);
  g_strfreev (result->addresses);
  g_free (result);
}

/* Notes the successful launch, definition or start of the machine. */
static void
note_history (const LmHost *host, const LmLaunchResult *result, const char *how, gint64 began)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  lm_history_note (result->machine, how, began, host->history, warnings);
  for (guint i = 0; i < warnings->len; i++)
    host->warning (host->user_data, g_ptr_array_index (warnings, i));
}

static gboolean
wait_until_ready (const LmHost *host, const LmLaunchRequest *request, LmLaunchResult *result, GCancellable *cancellable, GError **error)
{
  const LmReadinessLimits limits = { .seconds = request->wait_seconds, .resumed = result->resumed };
  const gint64 begin = g_get_monotonic_time ();
  if (!lm_readiness_wait_ready (host, result->machine, result->domain, &limits, &result->addresses, cancellable, error))
    return FALSE;
  result->ready = TRUE;
  result->ready_seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  return TRUE;
}

/* Whether the existing machine, if any, may be replaced by another one. */
static gboolean
check_replaceable (const LmExisting *existing, const LmLaunchRequest *request, GError **error)
{
  const LmMachine *machine = existing->machine;
  if (machine == NULL || (request->replace && existing->lock == NULL) || (existing->domain == NULL && machine->transient))
    return TRUE;
  if (existing->domain == NULL)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "the domain %s no longer exists, but its disk does (%s); \"lamina rm %s\" or --replace removes it",
                     machine->name, machine->overlay, machine->name);
  g_autofree char *selections = g_strjoinv (" ", machine->resolved);
  if (existing->lock != NULL)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_DIFFERENT,
                     "%s exists already, made of %s; it is the machine %s, whose domain was renamed, and cannot be replaced "
                     "before \"virsh domrename %s %s\"", request->name, selections, machine->name, request->name,
                     machine->name);
  return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_DIFFERENT,
                   "%s exists already, made of %s; --replace removes it and its disk", machine->name, selections);
}

/* An ephemeral machine starts with a new disk, unless it resumes from a saved state. */
static gboolean
renew_ephemeral_disk (const LmHost *host, LmMachine *machine, LmVirtDomain *domain, GCancellable *cancellable,
                      GError **error)
{
  if (!machine->ephemeral || lm_virt_domain_has_saved_state (domain))
    return TRUE;
  g_autoptr (LmCache) cache = lm_cache_open (host->state_dir, &host->cache, error);
  return cache != NULL && lm_disk_discard (machine, error) && lm_disk_supply (cache, machine, cancellable, error);
}

/* The requested machine exists: only starts it, after making sure that all its
 * layers are present. */
static LmLaunchResult *
start_existing (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, LmExisting *existing,
                GCancellable *cancellable, GError **error)
{
  g_autoptr (LmLaunchResult) result = g_new0 (LmLaunchResult, 1);
  result->existed = TRUE;
  result->machine = g_steal_pointer (&existing->machine);
  result->domain = g_steal_pointer (&existing->domain);
  if (!request->start || existing->active)
    return g_steal_pointer (&result);
  if (!lm_supply_machine (host, result->machine, &result->prepared, cancellable, error)
      || !renew_ephemeral_disk (host, result->machine, result->domain, cancellable, error))
    return NULL;
  if (!lm_machine_domain_start (host, virt, result->machine, result->domain, &result->resumed, error))
    {
      /* Only then: virsh can have given the domain another disk. */
      if (!g_file_test (result->machine->overlay, G_FILE_TEST_EXISTS))
        g_prefix_error (error, "the disk of %s, %s, is missing; put it back, or remove the machine with \"lamina rm %s\": ",
                        result->machine->name, result->machine->overlay, result->machine->name);
      return NULL;
    }
  result->started = TRUE;
  return g_steal_pointer (&result);
}

/* Creates and starts a new machine, replacing the machine in @existing, if any,
 * which is added to @superseded. */
static LmLaunchResult *
launch_new (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, char **requested, const LmPlan *plan,
            LmExisting *existing, GPtrArray *superseded, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmCreation) creation
    = lm_creation_new (host, virt, request, requested, plan, g_steal_pointer (&existing->machine), existing->active,
                       cancellable, error);
  if (creation == NULL)
    return NULL;
  g_autoptr (LmLaunchResult) result = g_new0 (LmLaunchResult, 1);
  /* libvirt cannot be interrupted, so check for a cancellation afterwards. */
  if ((request->start && !creation->started
       && !lm_machine_domain_start (host, virt, creation->machine, creation->domain, &result->resumed, error))
      || g_cancellable_set_error_if_cancelled (cancellable, error)
      || !lm_creation_commit (creation, error))
    {
      lm_creation_roll_back (host, virt, creation);
      return NULL;
    }
  if (creation->replaced != NULL)
    g_ptr_array_add (superseded, g_steal_pointer (&creation->replaced));
  result->started = request->start;
  result->prepared = creation->prepared;
  result->machine = g_steal_pointer (&creation->machine);
  result->domain = g_steal_pointer (&creation->domain);
  return g_steal_pointer (&result);
}

/* With --replace a user may expect a new machine, but only the selections decide. */
static void
warn_about_options (const LmHost *host, const LmLaunchRequest *request)
{
  g_autofree char *text
    = g_strdup_printf ("%s exists with the same selections, so --replace does not replace it and its other options are not "
                       "changed; \"lamina rm %s\" first to create it with those that were given", request->name,
                       request->name);
  host->warning (host->user_data, text);
}

/* To be called with the lock of the name held. */
static LmLaunchResult *
launch_locked (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, GCancellable *cancellable, GError **error)
{
  const gint64 began = g_get_real_time () / G_USEC_PER_SEC;
  g_auto (GStrv) requested = lm_launch_request_normalize (request);
  g_autoptr (GPtrArray) superseded = lm_recover (host, virt, request->name, error);
  g_autoptr (LmExisting) existing = superseded ? lm_existing_find (host, virt, request->name, error) : NULL;
  if (existing == NULL)
    return NULL;
  /* If the record suffices to decide, no catalog is needed. */
  LmMatch match = lm_existing_matches (existing, requested, NULL);
  if (existing->domain == NULL && !check_replaceable (existing, request, error))
    return NULL;
  g_autoptr (LmPlan) plan = NULL;
  if (match != LM_MATCH_YES)
    {
      plan = lm_prepare_plan (host, (const char *const *) request->selections, cancellable, error);
      if (plan == NULL)
        return NULL;
      match = lm_existing_matches (existing, requested, plan);
    }
  gboolean same = match == LM_MATCH_YES;
  if (!same && !check_replaceable (existing, request, error))
    return NULL;
  if (same && request->replace && request->customized)
    warn_about_options (host, request);
  g_autoptr (LmLaunchResult) result
    = same ? start_existing (host, virt, request, existing, cancellable, error)
           : launch_new (host, virt, request, requested, plan, existing, superseded, cancellable, error);
  if (result != NULL && (result->started || !result->existed))
    note_history (host, result, result->existed ? "start" : request->start ? "launch" : "define", began);
  if (result != NULL)
    lm_recover_remove_superseded (host, virt, superseded);
  return g_steal_pointer (&result);
}

LmLaunchResult *
lm_launch (const LmHost *host, LmVirt *virt, const LmLaunchRequest *request, GCancellable *cancellable, GError **error)
{
  LmLock *lock = lm_name_lock_acquire (host, request->name, cancellable, error);
  if (lock == NULL)
    return NULL;
  g_autoptr (LmLaunchResult) result = launch_locked (host, virt, request, cancellable, error);
  /* Let others act on the machine while it boots. The file of the lock is for the name
   * in a record only. */
  if (result != NULL && strcmp (result->machine->name, request->name) == 0)
    lm_lock_release (lock);
  else
    lm_name_lock_release (host, request->name, lock);
  if (result == NULL)
    return NULL;
  if (request->wait && request->start && !wait_until_ready (host, request, result, cancellable, error))
    return NULL;
  return g_steal_pointer (&result);
}
