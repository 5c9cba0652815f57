/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/readiness.h"
#include "base/error.h"
#include "domain/xml.h"
#include "machine/ready.h"

/* The DHCP server reports a lease to libvirt only after the guest has it, so a guest
 * that has just become ready may have no known address yet. */
#define LEASE_WAIT_SECONDS 2
#define STEP_US (G_USEC_PER_SEC / 20)
/* How often libvirt is asked whether a domain is active. */
#define ASK_US (G_USEC_PER_SEC / 2)

G_DEFINE_QUARK (lm-readiness-error-quark, lm_readiness_error)

static gboolean
domain_is_alive (gpointer domain)
{
  return lm_virt_domain_is_active (domain);
}

static char **
find_addresses (LmVirtDomain *domain, GCancellable *cancellable)
{
  gint64 end = g_get_monotonic_time () + LEASE_WAIT_SECONDS * G_USEC_PER_SEC;
  g_autofree char *xml = lm_virt_domain_live_xml (domain, NULL);
  gboolean expected = xml != NULL && lm_domain_xml_on_network (xml);
  g_auto (GStrv) addresses = lm_virt_domain_addresses (domain);
  while (expected && addresses[0] == NULL && g_get_monotonic_time () < end && !g_cancellable_is_cancelled (cancellable))
    {
      g_usleep (STEP_US);
      g_strfreev (addresses);
      addresses = lm_virt_domain_addresses (domain);
    }
  return g_steal_pointer (&addresses);
}

/* Whether the domain runs, so that its guest can become ready. */
static gboolean
check_running (const LmMachine *machine, LmVirtDomain *domain, GError **error)
{
  LmVirtState state;
  const char *name = lm_virt_domain_name (domain);
  if (!lm_virt_domain_state (domain, &state, error))
    return FALSE;
  if (state == LM_VIRT_STATE_PAUSED)
    return lm_throw (error, LM_READINESS_ERROR, LM_READINESS_ERROR_NOT_YET, "%s is paused; resume it with \"virsh resume %s\"",
                     machine->name, name);
  return state == LM_VIRT_STATE_RUNNING
         || lm_throw (error, LM_READINESS_ERROR, LM_READINESS_ERROR_NOT_YET, "%s is %s; start it with \"virsh start %s\"", machine->name,
                      lm_virt_state_name (state), name);
}

/* Of an interrupted wait the user should know what it did not end. */
static void
tell_if_interrupted (const LmHost *host, const LmMachine *machine, GCancellable *cancellable)
{
  if (!g_cancellable_is_cancelled (cancellable))
    return;
  g_autofree char *text = g_strdup_printf ("%s keeps running", machine->name);
  host->warning (host->user_data, text);
}

/* Waits for the console. Errors: also LM_CONSOLE_ERROR. */
static gboolean
read_console (const LmMachine *machine, LmVirtDomain *domain, const LmReadinessLimits *limits, GCancellable *cancellable, GError **error)
{
  LmConsolePosition position;
  g_autofree char *run = lm_virt_domain_run (domain, error);
  if (run == NULL)
    return FALSE;
  lm_ready_load (machine, run, &position);
  /* A guest that resumes from a saved state does not boot and shows nothing again. */
  position.ready = position.ready || limits->resumed;
  return lm_console_wait (machine->console_log, machine->ready, &position, limits->seconds, domain_is_alive, domain, cancellable, error)
         && lm_ready_save (machine, run, &position, error);
}

gboolean
lm_readiness_wait_ready (const LmHost *host, const LmMachine *machine, LmVirtDomain *domain, const LmReadinessLimits *limits,
                         char ***out_addresses, GCancellable *cancellable, GError **error)
{
  GError *failure = NULL;
  if (machine->ready == NULL)
    return lm_throw (error, LM_READINESS_ERROR, LM_READINESS_ERROR_UNKNOWN,
                     "the record of %s does not say how its console shows that it is up", machine->name);
  if (!check_running (machine, domain, error))
    return FALSE;
  g_autofree char *text = g_strdup_printf ("%s is running; waiting until it is up", machine->name);
  host->status (host->user_data, text);
  if (read_console (machine, domain, limits, cancellable, &failure))
    {
      *out_addresses = find_addresses (domain, cancellable);
      return TRUE;
    }
  tell_if_interrupted (host, machine, cancellable);
  if (failure->domain != LM_CONSOLE_ERROR)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  lm_throw (error, LM_READINESS_ERROR, LM_READINESS_ERROR_NOT_YET, "%s: %s", machine->name, failure->message);
  g_error_free (failure);
  return FALSE;
}

/* A domain that is gone is stopped; that libvirt does not answer says nothing. */
static gboolean
is_stopped (LmVirtDomain *domain, gboolean *out_stopped, GError **error)
{
  g_autoptr (GError) failure = NULL;
  LmVirtState state;
  *out_stopped = TRUE;
  if (lm_virt_domain_state (domain, &state, &failure))
    *out_stopped = state != LM_VIRT_STATE_RUNNING && state != LM_VIRT_STATE_PAUSED;
  else if (!g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return TRUE;
}

gboolean
lm_readiness_wait_stopped (const LmHost *host, const LmMachine *machine, LmVirtDomain *domain, const LmReadinessLimits *limits,
                           GCancellable *cancellable, GError **error)
{
  const gint64 end = g_get_monotonic_time () + (gint64) limits->seconds * G_USEC_PER_SEC;
  g_autofree char *text = g_strdup_printf ("waiting until %s is stopped", machine->name);
  for (gboolean told = FALSE, stopped;; told = TRUE)
    {
      if (!is_stopped (domain, &stopped, error))
        return FALSE;
      if (stopped)
        return TRUE;
      if (!told)
        host->status (host->user_data, text);
      for (gint64 slept = 0; slept < ASK_US && !g_cancellable_is_cancelled (cancellable); slept += STEP_US)
        g_usleep (STEP_US);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        {
          tell_if_interrupted (host, machine, cancellable);
          return FALSE;
        }
      if (limits->seconds > 0 && g_get_monotonic_time () >= end)
        return lm_throw (error, LM_READINESS_ERROR, LM_READINESS_ERROR_NOT_YET,
                         "%s: time ran out, and it is still running; stop it with \"virsh shutdown %s\", or \"virsh destroy %s\" if "
                         "its guest does not react", machine->name, lm_virt_domain_name (domain), lm_virt_domain_name (domain));
    }
}
