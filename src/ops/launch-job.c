/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/launch-job.h"
#include "base/error.h"
#include "base/fault.h"
#include "ops/port.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void
lm_launch_job_clear (LmLaunchJob *job)
{
  g_clear_pointer (&job->domain, lm_virt_domain_free);
  g_clear_pointer (&job->machine, lm_machine_free);
  g_clear_pointer (&job->other, lm_machine_free);
  g_clear_pointer (&job->plan, lm_plan_free);
  g_clear_pointer (&job->store_lock, lm_lock_release);
  g_clear_pointer (&job->virt_type, g_free);
  g_clear_pointer (&job->osinfo, g_free);
  g_clear_pointer (&job->result, lm_launch_result_free);
  g_clear_pointer (&job->virt, lm_virt_free);
  g_clear_pointer (&job->requested, g_strfreev);
}

gboolean
lm_launch_job_plan (LmLaunchJob *job, GError **error)
{
  if (job->plan == NULL)
    job->plan = lm_prepare_plan (job->host, (const char *const *) job->request->selections, job->cancellable, error);
  return job->plan != NULL;
}

/* What an earlier run of the guest said must not be taken for this one's: the
 * log starts anew. Told by its size alone, one that libvirt emptied and the
 * guest filled again would not be seen. Where the old one goes, virtlogd keeps
 * what it rotates, or removes it where the template has append="off". */
static void
put_log_aside (const LmMachine *machine)
{
  g_autofree char *old = g_strconcat (machine->console_log, ".0", NULL);
  (void) rename (machine->console_log, old);
}

/* The first directory on the way to @path that is not for all to pass; NULL: none. */
static char *
find_closed_dir (const char *path)
{
  for (const char *slash = strchr (path + 1, '/'); slash != NULL; slash = strchr (slash + 1, '/'))
    {
      g_autofree char *dir = g_strndup (path, (gsize) (slash - path));
      struct stat st;
      if (stat (dir, &st) == 0 && (st.st_mode & S_IXOTH) == 0)
        return g_steal_pointer (&dir);
    }
  return NULL;
}

gboolean
lm_launch_job_start_failed (LmLaunchJob *job, GError *cause, GError **error)
{
  g_autoptr (GError) failure = cause;
  const LmMachine *own = job->machine;
  if (lm_virt_is_local (job->virt) && !lm_port_check (job->virt, job->host->state_dir, own->publish, own, FALSE, error))
    return FALSE;
  /* libvirt names the file and QEMU's user, not what is in the way. */
  g_autofree char *closed = lm_virt_is_local (job->virt) && lm_virt_is_system (job->virt) ? find_closed_dir (own->overlay) : NULL;
  if (closed != NULL)
    return lm_throw (error, failure->domain, failure->code,
                     "%s; the user that QEMU runs as may not be able to pass %s: \"chmod o+x\" it, or choose another "
                     "--state-dir", failure->message, closed);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

gboolean
lm_launch_job_start (LmLaunchJob *job, GError **error)
{
  job->goes_on = lm_virt_domain_has_saved_state (job->domain);
  g_autoptr (GError) failure = NULL;
  if (!lm_fault_point ("launch-before-start", error))
    return FALSE;
  if (!job->goes_on)
    put_log_aside (job->machine);
  if (!lm_virt_domain_start (job->domain, &failure)
      && !(g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_STATE) && lm_virt_domain_is_active (job->domain)))
    return lm_launch_job_start_failed (job, g_steal_pointer (&failure), error);
  job->result->started = TRUE;
  return lm_fault_point ("launch-after-start", error);
}
