/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/launch.h"
#include "base/error.h"
#include "ops/launch-job.h"
#include "ops/replace.h"
#include "machine/console.h"

G_DEFINE_QUARK (lm-launch-error-quark, lm_launch_error)

void
lm_launch_result_free (LmLaunchResult *result)
{
  if (result == NULL)
    return;
  lm_machine_free (result->machine);
  g_strfreev (result->addresses);
  g_free (result);
}

static gboolean
domain_is_alive (gpointer domain)
{
  return lm_virt_domain_is_active (domain);
}

static gboolean
wait_until_ready (LmLaunchJob *job, GError **error)
{
  const LmMachine *machine = job->machine;
  if (machine->ready == NULL)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_REQUEST,
                     "--wait: it is not known how %s shows that it is up", machine->name);
  LmVirtState state;
  if (!lm_virt_domain_state (job->domain, &state, error))
    return FALSE;
  if (state == LM_VIRT_STATE_PAUSED)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_NOT_READY, "%s is paused; \"virsh resume %s\" lets it go on",
                     machine->name, machine->name);
  g_autofree char *text = g_strdup_printf ("%s runs; waiting until it is up", machine->name);
  job->host->status (job->host->user_data, text);
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GError) failure = NULL;
  /* What goes on from a saved state does not boot, and shows nothing again. */
  if (!job->goes_on
      && !lm_console_wait (machine->console_log, machine->ready, job->request->wait_seconds,
                           domain_is_alive, job->domain, job->cancellable, &failure))
    {
      if (failure->domain == G_IO_ERROR)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_NOT_READY, "%s: %s", machine->name, failure->message);
    }
  job->result->ready = TRUE;
  job->result->ready_seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  job->result->addresses = lm_virt_domain_addresses (job->domain);
  return TRUE;
}

LmLaunchResult *
lm_launch (const LmHost *host, const LmLaunchRequest *request, GCancellable *cancellable, GError **error)
{
  g_auto (LmLaunchJob) job = { .host = host, .request = request, .cancellable = cancellable };
  job.result = g_new0 (LmLaunchResult, 1);
  job.requested = lm_launch_request_normalize (request);
  gboolean done = FALSE;
  g_autoptr (LmLock) lock = lm_machine_lock (host->state_dir, request->name, cancellable, error);
  if (lock == NULL)
    return NULL;
  job.virt = lm_virt_connect (host->uri, &host->libvirt, error);
  if (job.virt == NULL || !lm_replace_settle (host, job.virt, request->name, error)
      || !lm_launch_meet (&job, &done, error) || (!done && !lm_launch_make (&job, error)))
    {
      g_autoptr (LmMachine) there = lm_machine_find (host->state_dir, request->name, NULL, NULL);
      if (there == NULL)
        lm_lock_remove_file (lock);
      return NULL;
    }
  /* Others may act on the machine, and on the store, while it boots. */
  g_clear_pointer (&lock, lm_lock_release);
  g_clear_pointer (&job.store_lock, lm_lock_release);
  if (request->wait && request->start && !wait_until_ready (&job, error))
    return NULL;
  job.result->machine = g_steal_pointer (&job.machine);
  return g_steal_pointer (&job.result);
}
