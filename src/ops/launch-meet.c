/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What has the name of a machine that is launched already. */
#include "config.h"
#include "base/error.h"
#include "ops/launch-job.h"
#include "ops/machine-domain.h"

#include <string.h>

static gboolean
equal_sets (char **a, char **b)
{
  return a && b && g_strv_equal ((const char *const *) a, (const char *const *) b);
}

/* Whether the machine that is there is the one asked for. The words decide
 * where they can, so that this needs no catalog; else what they mean. */
static gboolean
is_same (LmLaunchJob *job, const LmMachine *there, gboolean *out_same, GError **error)
{
  if (equal_sets (job->requested, there->requested))
    {
      *out_same = TRUE;
      return TRUE;
    }
  if (!lm_launch_job_plan (job, error))
    return FALSE;
  g_auto (GStrv) now = g_strdupv (job->plan->selections);
  g_auto (GStrv) then = g_strdupv (there->resolved);
  *out_same = g_strv_length (now) == g_strv_length (then);
  for (char **selection = now; *selection; selection++)
    *out_same = *out_same && g_strv_contains ((const char *const *) then, *selection);
  return TRUE;
}

/* The same machine is there: what is left to do is to start it. */
static gboolean
adopt (LmLaunchJob *job, LmMachine *there, GError **error)
{
  g_clear_pointer (&job->machine, lm_machine_free);
  job->machine = there;
  job->result->existed = TRUE;
  LmVirtState state;
  if (!lm_virt_domain_state (job->domain, &state, error))
    return FALSE;
  return !job->request->start || state != LM_VIRT_STATE_SHUT_OFF || lm_launch_job_start (job, error);
}

/* A domain has the name already: ours and the same, ours and another, or
 * somebody else's. */
static gboolean
meet_domain (LmLaunchJob *job, gboolean *out_done, GError **error)
{
  const char *name = job->request->name;
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmMachine) there
    = lm_machine_load (job->host->state_dir, lm_virt_domain_uuid (job->domain), &failure);
  if (g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND))
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "a domain %s exists that was not made from this state directory; choose another name", name);
  if (there == NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), "a domain %s exists: ", name);
      return FALSE;
    }
  if (there->uri != NULL && strcmp (there->uri, lm_virt_uri (job->virt)) != 0)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "the machine %s was made on %s, not on %s; give that to --connect", name, there->uri,
                     lm_virt_uri (job->virt));
  if (strcmp (there->name, name) != 0)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "the domain %s is the machine %s under another name; rename it back (virsh domrename %s %s) or "
                     "choose another name",
                     name, there->name, name, there->name);
  if (!lm_machine_domain_check (there, job->domain, error))
    return FALSE;
  gboolean same = FALSE;
  if (there->complete && !is_same (job, there, &same, error))
    return FALSE;
  if (same)
    {
      *out_done = TRUE;
      return adopt (job, g_steal_pointer (&there), error);
    }
  if (there->complete && !job->request->replace)
    {
      g_autofree char *has = g_strjoinv (" ", there->resolved);
      return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                       "%s is there already, made of %s; --replace removes it, with its disk", name, has);
    }
  job->other = g_steal_pointer (&there);
  job->other_ran = lm_virt_domain_is_active (job->domain);
  g_clear_pointer (&job->domain, lm_virt_domain_free);
  return TRUE;
}

/* No domain has the name, but perhaps a record: of a transient domain, which
 * may go; or with a disk whose domain somebody undefined or renamed. */
static gboolean
meet_record (LmLaunchJob *job, GError **error)
{
  const char *name = job->request->name;
  g_autoptr (LmMachine) there = lm_machine_find (job->host->state_dir, name, lm_virt_uri (job->virt), NULL);
  if (there == NULL)
    return TRUE;
  /* The user's words mean a machine that has this name; this one has another now. */
  g_autoptr (LmVirtDomain) renamed = lm_virt_find_uuid (job->virt, there->uuid, NULL);
  if (renamed != NULL)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "the domain of the machine %s was renamed to %s; \"virsh domrename %s %s\" gives it its name back, "
                     "\"lamina rm %s\" removes it", name, lm_virt_domain_name (renamed), lm_virt_domain_name (renamed),
                     name, name);
  if (!there->transient && !job->request->replace)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "the domain %s is gone, but its disk is still there (%s); \"lamina rm %s\" or --replace removes it",
                     name, there->overlay, name);
  job->other = g_steal_pointer (&there);
  return TRUE;
}

gboolean
lm_launch_meet (LmLaunchJob *job, gboolean *out_done, GError **error)
{
  g_autoptr (GError) failure = NULL;
  job->domain = lm_virt_find_name (job->virt, job->request->name, &failure);
  if (job->domain != NULL)
    return meet_domain (job, out_done, error);
  if (!g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return meet_record (job, error);
}
