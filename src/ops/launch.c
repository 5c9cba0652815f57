/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/launch.h"
#include "base/error.h"
#include "base/fault.h"
#include "cache/cache.h"
#include "ops/disks.h"
#include "ops/port.h"
#include "ops/remove.h"
#include "ops/replace.h"
#include "stage/console.h"
#include "stage/domain.h"
#include "stage/osinfo.h"
#include "virt/domain.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-launch-error-quark, lm_launch_error)

/* One launch on its way. Owned parts that are still here when it ends
 * without success are what has to be taken back. */
typedef struct
{
  const LmHost *host;
  const LmLaunchRequest *request;
  GCancellable *cancellable;
  LmVirt *virt;
  char **requested; /* normalized */
  LmPlan *plan;
  LmLock *store_lock;
  char *virt_type;
  char *osinfo;
  LmInstance *other; /* of the same name, to be replaced */
  gboolean other_ran;
  LmInstance *instance;
  LmVirtDomain *domain;
  LmLaunchResult *result;
  guint64 log_offset; /* where the console log of this start begins */
} Launch;

static void
launch_clear (Launch *launch)
{
  g_clear_pointer (&launch->domain, lm_virt_domain_free);
  g_clear_pointer (&launch->instance, lm_instance_free);
  g_clear_pointer (&launch->other, lm_instance_free);
  g_clear_pointer (&launch->plan, lm_plan_free);
  g_clear_pointer (&launch->store_lock, lm_lock_release);
  g_clear_pointer (&launch->virt_type, g_free);
  g_clear_pointer (&launch->osinfo, g_free);
  g_clear_pointer (&launch->result, lm_launch_result_free);
  g_clear_pointer (&launch->virt, lm_virt_free);
  g_clear_pointer (&launch->requested, g_strfreev);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Launch, launch_clear)

void
lm_launch_result_free (LmLaunchResult *result)
{
  if (result == NULL)
    return;
  lm_instance_free (result->instance);
  g_strfreev (result->addresses);
  g_free (result);
}

static void
warn (const Launch *launch, const char *what, const GError *failure)
{
  g_autofree char *text = g_strdup_printf ("%s %s: %s", launch->request->name, what, failure->message);
  launch->host->warning (launch->host->user_data, text);
}

/* What this run made goes again, and what made room for it comes back; a
 * failure to do so is only worth a warning, since the next run finds it in the
 * records and tries again. The domain is looked for: it may have come to be
 * though the answer got lost. */
static void
take_back (Launch *launch)
{
  g_autoptr (GError) failure = NULL;
  if (!lm_remove_instance (launch->virt, launch->instance, &failure))
    warn (launch, "could not be taken back, the next launch or rm will", failure);
  else if (launch->other != NULL && !lm_replace_put_back (launch->virt, launch->other, launch->other_ran, &failure))
    warn (launch, "could not be put back as it was; its disk is there, launch it again", failure);
}

/* The new machine is there. */
static void
forget_other (Launch *launch)
{
  g_autoptr (GError) failure = NULL;
  if (launch->other != NULL && !lm_remove_instance (launch->virt, launch->other, &failure))
    warn (launch, "was replaced, but something of it is left; the next launch removes it", failure);
}

static gboolean
plan (Launch *launch, GError **error)
{
  if (launch->plan == NULL)
    launch->plan = lm_prepare_plan (launch->host, (const char *const *) launch->request->selections,
                                    launch->cancellable, error);
  return launch->plan != NULL;
}

static gboolean
equal_sets (char **a, char **b)
{
  return a && b && g_strv_equal ((const char *const *) a, (const char *const *) b);
}

/* Whether the machine that is there is the one asked for. The words decide
 * where they can, so that this needs no catalog; else what they mean. */
static gboolean
is_same (Launch *launch, const LmInstance *there, gboolean *out_same, GError **error)
{
  if (equal_sets (launch->requested, there->requested))
    {
      *out_same = TRUE;
      return TRUE;
    }
  if (!plan (launch, error))
    return FALSE;
  g_auto (GStrv) now = g_strdupv (launch->plan->selections);
  g_auto (GStrv) then = g_strdupv (there->resolved);
  *out_same = g_strv_length (now) == g_strv_length (then);
  for (char **selection = now; *selection; selection++)
    *out_same = *out_same && g_strv_contains ((const char *const *) then, *selection);
  return TRUE;
}

static guint64
file_size (const char *path)
{
  struct stat st;
  return stat (path, &st) == 0 ? (guint64) st.st_size : 0;
}

/* libvirt could not start the machine, which passes its cause on. A port that
 * somebody took is said in plain words. */
static gboolean
start_failed (Launch *launch, GError *cause, GError **error)
{
  g_autoptr (GError) failure = cause;
  if (lm_virt_is_local (launch->virt) && !lm_port_check (launch->host->state_dir, launch->instance->publish, launch->instance, FALSE, error))
    return FALSE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
start (Launch *launch, GError **error)
{
  launch->log_offset = file_size (launch->instance->console_log);
  g_autoptr (GError) failure = NULL;
  if (!lm_fault_point ("launch-before-start", error))
    return FALSE;
  if (!lm_virt_domain_start (launch->domain, &failure)
      && !(g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_STATE) && lm_virt_domain_is_active (launch->domain)))
    return start_failed (launch, g_steal_pointer (&failure), error);
  launch->result->started = TRUE;
  return lm_fault_point ("launch-after-start", error);
}

/* The same machine is there: what is left to do is to start it. */
static gboolean
adopt (Launch *launch, LmInstance *there, GError **error)
{
  g_clear_pointer (&launch->instance, lm_instance_free);
  launch->instance = there;
  launch->result->existed = TRUE;
  LmVirtState state;
  if (!lm_virt_domain_state (launch->domain, &state, error))
    return FALSE;
  return !launch->request->start || state != LM_VIRT_STATE_SHUT_OFF || start (launch, error);
}

/* What contradicts itself is found before anything is made. */
static gboolean
check_request (Launch *launch, GError **error)
{
  const LmLaunchRequest *request = launch->request;
  const LmPlan *planned = launch->plan;
  if (request->wait && planned->ready == NULL)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_REQUEST,
                     "--wait: the catalog does not say how these layers show that the guest is up (\"ready\")");
  launch->virt_type = g_strdup (request->virt_type);
  if (launch->virt_type == NULL)
    launch->virt_type = g_strdup (lm_virt_offers_kvm (launch->virt, planned->arch) ? "kvm" : "qemu");
  g_autoptr (GError) unknown = NULL;
  const char *wanted = request->osinfo ? request->osinfo : planned->osinfo;
  launch->osinfo = wanted ? lm_osinfo_find (launch->host->osinfo_dirs, wanted, &unknown) : NULL;
  /* A catalog may know systems that this host's database does not. */
  if (request->osinfo && launch->osinfo == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&unknown));
      return FALSE;
    }
  return !request->start || !lm_virt_is_local (launch->virt)
         || lm_port_check (launch->host->state_dir, request->publish, launch->other, launch->other_ran, error);
}

/* All that can fail for want of a layer, the network or sense: done before
 * anything is made. */
static gboolean
gather (Launch *launch, GError **error)
{
  /* Held until the overlay and the record name the layers: nobody deletes them meanwhile. */
  g_autoptr (LmCache) cache = lm_cache_open (launch->host->state_dir, error);
  launch->store_lock = cache ? lm_cache_lock (cache, LM_LOCK_SHARED, -1, launch->cancellable, error) : NULL;
  if (launch->store_lock == NULL || !plan (launch, error) || !check_request (launch, error))
    return FALSE;
  return lm_prepare_pull (launch->host, launch->plan, &launch->result->prepared, launch->cancellable, error);
}

/* A domain has the name already: ours and the same, ours and another, or
 * somebody else's. */
static gboolean
meet_domain (Launch *launch, gboolean *out_done, GError **error)
{
  const char *name = launch->request->name;
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmInstance) there
    = lm_instance_load (launch->host->state_dir, lm_virt_domain_uuid (launch->domain), &failure);
  if (g_error_matches (failure, LM_INSTANCE_ERROR, LM_INSTANCE_ERROR_NOT_FOUND))
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "a domain %s exists that was not made from this state directory; choose another name", name);
  if (there == NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), "a domain %s exists: ", name);
      return FALSE;
    }
  if (strcmp (there->name, name) != 0)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "the domain %s is the machine %s under another name; rename it back (virsh domrename %s %s) or "
                     "choose another name",
                     name, there->name, name, there->name);
  gboolean same = FALSE;
  if (there->complete && !is_same (launch, there, &same, error))
    return FALSE;
  if (same)
    {
      *out_done = TRUE;
      return adopt (launch, g_steal_pointer (&there), error);
    }
  if (there->complete && !launch->request->replace)
    {
      g_autofree char *has = g_strjoinv (" ", there->resolved);
      return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                       "%s is there already, made of %s; --replace removes it, with its disk", name, has);
    }
  launch->other = g_steal_pointer (&there);
  launch->other_ran = lm_virt_domain_is_active (launch->domain);
  g_clear_pointer (&launch->domain, lm_virt_domain_free);
  return TRUE;
}

/* No domain has the name, but perhaps a record: of a transient domain, which
 * may go; or with a disk whose domain somebody undefined or renamed. */
static gboolean
meet_record (Launch *launch, GError **error)
{
  const char *name = launch->request->name;
  g_autoptr (LmInstance) there = lm_instance_find (launch->host->state_dir, name, lm_virt_uri (launch->virt), NULL);
  if (there == NULL)
    return TRUE;
  /* The user's words mean a machine that has this name; this one has another now. */
  g_autoptr (LmVirtDomain) renamed = lm_virt_find_uuid (launch->virt, there->uuid, NULL);
  if (renamed != NULL)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "the domain of the machine %s was renamed to %s; \"virsh domrename %s %s\" gives it its name back, "
                     "\"lamina rm %s\" removes it", name, lm_virt_domain_name (renamed), lm_virt_domain_name (renamed),
                     name, name);
  if (!there->transient && !launch->request->replace)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS,
                     "the domain %s is gone, but its disk is still there (%s); \"lamina rm %s\" or --replace removes it",
                     name, there->overlay, name);
  launch->other = g_steal_pointer (&there);
  return TRUE;
}

static gboolean
meet_existing (Launch *launch, gboolean *out_done, GError **error)
{
  g_autoptr (GError) failure = NULL;
  launch->domain = lm_virt_find_name (launch->virt, launch->request->name, &failure);
  if (launch->domain != NULL)
    return meet_domain (launch, out_done, error);
  if (!g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return meet_record (launch, error);
}

static void
fill_instance (Launch *launch, const LmDomainSpec *spec)
{
  LmInstance *instance = launch->instance;
  instance->uri = g_strdup (lm_virt_uri (launch->virt));
  instance->transient = launch->request->transient;
  instance->requested = g_strdupv (launch->requested);
  instance->resolved = g_strdupv (launch->plan->selections);
  g_ptr_array_unref (instance->layers);
  instance->layers = lm_launch_request_layers (launch->plan);
  g_ptr_array_extend (instance->publish, spec->publish, lm_domain_publish_copy, NULL);
  instance->ready = g_strdup (launch->plan->ready);
}

static gboolean
define (Launch *launch, const char *xml, GError **error)
{
  const LmLaunchRequest *request = launch->request;
  if (launch->other != NULL && !lm_replace_set_aside (launch->virt, launch->other, &launch->other_ran, error))
    return FALSE;
  if (!lm_fault_point ("launch-before-define", error))
    return FALSE;
  const char *uuid = launch->instance->uuid;
  g_autoptr (GError) failure = NULL;
  launch->domain = request->transient ? lm_virt_create (launch->virt, xml, request->name, uuid, &failure)
                                      : lm_virt_define (launch->virt, xml, request->name, uuid, error);
  if (launch->domain == NULL)
    return request->transient && start_failed (launch, g_steal_pointer (&failure), error);
  launch->result->started = request->transient;
  if (request->autostart && !lm_virt_domain_set_autostart (launch->domain, TRUE, error))
    return FALSE;
  return lm_fault_point ("launch-after-define", error);
}

/* The disks and the domain. libvirt does not look at a disk before a start, so
 * both are made at once, unless the domain starts right away or another
 * machine has to go for it, which must not happen in vain. */
static gboolean
make_parts (Launch *launch, const char *xml, GError **error)
{
  const LmLaunchRequest *request = launch->request;
  if (request->transient || launch->other != NULL)
    return lm_disks_make (request, launch->plan, launch->instance, launch->cancellable, error)
           && define (launch, xml, error);
  LmDisksJob *job = lm_disks_begin (request, launch->plan, launch->instance, launch->cancellable);
  g_autoptr (GError) failure = NULL;
  gboolean defined = define (launch, xml, &failure);
  if (!lm_disks_finish (job, error))
    return FALSE;
  if (!defined)
    g_propagate_error (error, g_steal_pointer (&failure));
  return defined;
}

/* From the record to the running domain. The record says "complete" before
 * the start: a run killed between the two leaves a machine that is defined,
 * which the next run starts. */
static gboolean
make (Launch *launch, GError **error)
{
  const LmLaunchRequest *request = launch->request;
  g_autoptr (LmDomainSpec) spec = lm_launch_request_spec (request, launch->plan, launch->instance, launch->virt_type,
                                                           launch->osinfo);
  fill_instance (launch, spec);
  g_autofree char *xml = lm_domain_xml (spec, launch->host->template_dirs, request->template, error);
  if (xml == NULL || !lm_instance_save (launch->instance, error) || !make_parts (launch, xml, error)
      || !lm_disks_sync (launch->plan, launch->instance, error)
      || g_cancellable_set_error_if_cancelled (launch->cancellable, error))
    return FALSE;
  launch->instance->complete = TRUE;
  if (!lm_instance_save (launch->instance, error))
    return FALSE;
  /* libvirt cannot be interrupted: whoever did so meanwhile wants none of it. */
  return (!request->start || request->transient || start (launch, error))
         && !g_cancellable_set_error_if_cancelled (launch->cancellable, error);
}

static gboolean
create (Launch *launch, GError **error)
{
  if (!gather (launch, error))
    return FALSE;
  launch->instance = lm_instance_new (launch->host->state_dir, launch->request->name, NULL);
  if (!make (launch, error))
    {
      take_back (launch);
      return FALSE;
    }
  forget_other (launch);
  return TRUE;
}

static gboolean
domain_is_alive (gpointer domain)
{
  return lm_virt_domain_is_active (domain);
}

static gboolean
wait_until_ready (Launch *launch, GError **error)
{
  const LmInstance *instance = launch->instance;
  if (instance->ready == NULL)
    return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_REQUEST,
                     "--wait: it is not known how %s shows that it is up", instance->name);
  g_autofree char *text = g_strdup_printf ("waiting until %s is up", instance->name);
  launch->host->status (launch->host->user_data, text);
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GError) failure = NULL;
  if (!lm_console_wait (instance->console_log, launch->log_offset, instance->ready, launch->request->wait_seconds,
                        domain_is_alive, launch->domain, launch->cancellable, &failure))
    {
      if (failure->domain == G_IO_ERROR)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      return lm_throw (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_NOT_READY, "%s: %s", instance->name, failure->message);
    }
  launch->result->ready = TRUE;
  launch->result->ready_seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  launch->result->addresses = lm_virt_domain_addresses (launch->domain);
  return TRUE;
}

LmLaunchResult *
lm_launch (const LmHost *host, const LmLaunchRequest *request, GCancellable *cancellable, GError **error)
{
  g_auto (Launch) launch = { .host = host, .request = request, .cancellable = cancellable };
  launch.result = g_new0 (LmLaunchResult, 1);
  launch.requested = lm_launch_request_normalize (request);
  gboolean done = FALSE;
  g_autoptr (LmLock) lock = lm_instance_lock (host->state_dir, request->name, cancellable, error);
  if (lock == NULL)
    return NULL;
  launch.virt = lm_virt_connect (host->uri, error);
  if (launch.virt == NULL || !lm_replace_settle (host, launch.virt, request->name, error)
      || !meet_existing (&launch, &done, error) || (!done && !create (&launch, error)))
    {
      g_autoptr (LmInstance) there = lm_instance_find (host->state_dir, request->name, NULL, NULL);
      if (there == NULL)
        lm_lock_remove_file (lock);
      return NULL;
    }
  /* Others may act on the machine, and on the store, while it boots. */
  g_clear_pointer (&lock, lm_lock_release);
  g_clear_pointer (&launch.store_lock, lm_lock_release);
  if (request->wait && request->start && !wait_until_ready (&launch, error))
    return NULL;
  launch.result->instance = g_steal_pointer (&launch.instance);
  return g_steal_pointer (&launch.result);
}
