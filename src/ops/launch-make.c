/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine that is launched and not there yet. */
#include "config.h"
#include "base/error.h"
#include "base/fault.h"
#include "ops/disks.h"
#include "ops/launch-job.h"
#include "ops/port.h"
#include "ops/remove.h"
#include "ops/replace.h"
#include "ops/usage.h"
#include "domain/xml.h"
#include "domain/osinfo.h"

static void
warn (const LmLaunchJob *job, const char *what, const GError *failure)
{
  g_autofree char *text = g_strdup_printf ("%s %s: %s", job->request->name, what, failure->message);
  job->host->warning (job->host->user_data, text);
}

/* What this run made goes again, and what made room for it comes back; a
 * failure to do so is only worth a warning, since the next run finds it in the
 * records and tries again. The domain is looked for: it may have come to be
 * though the answer got lost. */
static void
take_back (LmLaunchJob *job)
{
  g_autoptr (GError) failure = NULL;
  if (!lm_remove_machine (job->host, job->virt, job->machine, &failure))
    warn (job, "could not be taken back, the next launch or rm will", failure);
  else if (job->other != NULL && !lm_replace_put_back (job->virt, job->other, job->other_ran, &failure))
    warn (job, "could not be put back as it was; its disk is there, launch it again", failure);
}

/* The new machine is there. */
static void
forget_other (LmLaunchJob *job)
{
  g_autoptr (GError) failure = NULL;
  if (job->other != NULL && !lm_remove_machine (job->host, job->virt, job->other, &failure))
    warn (job, "was replaced, but something of it is left; the next launch removes it", failure);
}

/* What contradicts itself is found before anything is made. */
static gboolean
check_request (LmLaunchJob *job, GError **error)
{
  const LmLaunchRequest *request = job->request;
  const LmPlan *planned = job->plan;
  if (request->wait && planned->ready == NULL)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_REQUEST,
                     "--wait: the catalog does not say how these layers show that the guest is up (\"ready\")");
  job->virt_type = g_strdup (request->virt_type);
  if (job->virt_type == NULL)
    job->virt_type = g_strdup (lm_virt_offers_kvm (job->virt, planned->arch) ? "kvm" : "qemu");
  g_autoptr (GError) unknown = NULL;
  const char *wanted = request->osinfo ? request->osinfo : planned->osinfo;
  job->osinfo = wanted ? lm_osinfo_find (job->host->osinfo_dirs, wanted, &unknown) : NULL;
  /* A catalog may know systems that this host's database does not. */
  if (request->osinfo && job->osinfo == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&unknown));
      return FALSE;
    }
  return !request->start || !lm_virt_is_local (job->virt)
         || lm_port_check (job->virt, job->host->state_dir, request->publish, job->other, job->other_ran, error);
}

/* All that can fail for want of a layer, the network or sense: done before
 * anything is made. */
static gboolean
gather (LmLaunchJob *job, GError **error)
{
  /* Held until the overlay and the record name the layers: nobody deletes them meanwhile. */
  g_autoptr (LmCache) cache = lm_cache_open (job->host->state_dir, error);
  job->store_lock = cache ? lm_cache_lock (cache, LM_LOCK_SHARED, -1, job->cancellable, error) : NULL;
  if (job->store_lock == NULL || !lm_launch_job_plan (job, error) || !check_request (job, error))
    return FALSE;
  if (job->other != NULL && !lm_usage_check (job->host, job->virt, job->other, error))
    return FALSE;
  return lm_prepare_pull (job->host, job->plan, &job->result->prepared, job->cancellable, error);
}

static void
fill_machine (LmLaunchJob *job, const LmDomainSpec *spec)
{
  LmMachine *machine = job->machine;
  machine->uri = g_strdup (lm_virt_uri (job->virt));
  machine->transient = job->request->transient;
  machine->requested = g_strdupv (job->requested);
  machine->resolved = g_strdupv (job->plan->selections);
  g_ptr_array_unref (machine->layers);
  machine->layers = lm_launch_request_layers (job->plan);
  g_ptr_array_extend (machine->publish, spec->publish, lm_domain_publish_copy, NULL);
  machine->ready = g_strdup (job->plan->ready);
}

static gboolean
define (LmLaunchJob *job, const char *xml, GError **error)
{
  const LmLaunchRequest *request = job->request;
  if (job->other != NULL && !lm_replace_set_aside (job->virt, job->other, &job->other_ran, error))
    return FALSE;
  if (!lm_fault_point ("launch-before-define", error))
    return FALSE;
  const char *uuid = job->machine->uuid;
  g_autoptr (GError) failure = NULL;
  job->domain = request->transient ? lm_virt_create (job->virt, xml, request->name, uuid, &failure)
                                   : lm_virt_define (job->virt, xml, request->name, uuid, error);
  if (job->domain == NULL)
    return request->transient && lm_launch_job_start_failed (job, g_steal_pointer (&failure), error);
  job->result->started = request->transient;
  if (request->autostart && !lm_virt_domain_set_autostart (job->domain, TRUE, error))
    return FALSE;
  return lm_fault_point ("launch-after-define", error);
}

/* The disks and the domain. libvirt does not look at a disk before a start, so
 * both are made at once, unless the domain starts right away or another
 * machine has to go for it, which must not happen in vain. */
static gboolean
make_parts (LmLaunchJob *job, const char *xml, GError **error)
{
  const LmLaunchRequest *request = job->request;
  if (request->transient || job->other != NULL)
    return lm_disks_make (job->host->state_dir, request, job->plan, job->machine, job->cancellable, error)
           && define (job, xml, error);
  LmDisksJob *disks = lm_disks_begin (job->host->state_dir, request, job->plan, job->machine, job->cancellable);
  g_autoptr (GError) failure = NULL;
  gboolean defined = define (job, xml, &failure);
  if (!lm_disks_finish (disks, error))
    return FALSE;
  if (!defined)
    g_propagate_error (error, g_steal_pointer (&failure));
  return defined;
}

/* From the record to the running domain. The record says "complete" before
 * the start: a run killed between the two leaves a machine that is defined,
 * which the next run starts. */
static gboolean
make (LmLaunchJob *job, GError **error)
{
  const LmLaunchRequest *request = job->request;
  g_autoptr (LmDomainSpec) spec = lm_launch_request_spec (request, job->plan, job->machine, job->virt_type,
                                                           job->osinfo);
  fill_machine (job, spec);
  g_autofree char *xml = lm_domain_xml (spec, job->host->template_dirs, request->template, job->cancellable, error);
  if (xml == NULL || !lm_machine_save (job->machine, error) || !make_parts (job, xml, error)
      || !lm_disks_sync (job->plan, job->machine, error)
      || g_cancellable_set_error_if_cancelled (job->cancellable, error))
    return FALSE;
  job->machine->complete = TRUE;
  if (!lm_machine_save (job->machine, error))
    return FALSE;
  /* libvirt cannot be interrupted: whoever did so meanwhile wants none of it. */
  return (!request->start || request->transient || lm_launch_job_start (job, error))
         && !g_cancellable_set_error_if_cancelled (job->cancellable, error);
}

gboolean
lm_launch_make (LmLaunchJob *job, GError **error)
{
  if (!gather (job, error))
    return FALSE;
  job->machine = lm_machine_new (job->host->state_dir, job->request->name, NULL);
  if (!make (job, error))
    {
      take_back (job);
      return FALSE;
    }
  forget_other (job);
  return TRUE;
}
