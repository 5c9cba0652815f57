/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/disks.h"
#include "image/seed.h"
#include "machine/boot.h"
#include "machine/chain.h"

#include <string.h>

struct _LmDisksJob
{
  const char *state_dir;
  const LmLaunchRequest *request;
  const LmPlan *plan;
  LmMachine *machine;
  GCancellable *cancellable;
  GThread *thread;
  gboolean ok;
  GError *error;
};

static const char *
copy_of (const LmMachine *machine, const LmBlob *blob)
{
  return strcmp (blob->name, "kernel") == 0 ? machine->kernel : machine->initrd;
}

static gboolean
copy_blobs (const LmPlan *plan, const LmMachine *machine, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < plan->blobs->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (plan->blobs, i);
      if (!lm_boot_copy (item->path, copy_of (machine, &item->blob), cancellable, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
lm_disks_make (const char *state_dir, const LmLaunchRequest *request, const LmPlan *plan, LmMachine *machine, GCancellable *cancellable,
               GError **error)
{
  guint64 size = request->disk ? request->disk : plan->disk;
  g_autoptr (GPtrArray) layers = lm_plan_list_layers (plan);
  g_autoptr (LmCache) cache = lm_cache_open_readonly (state_dir, error);
  /* The copies reach the disk while the rest is made. */
  if (cache == NULL || !copy_blobs (plan, machine, cancellable, error)
      || !lm_chain_make_overlay (cache, layers, machine->overlay, size, &machine->disk, cancellable, error))
    return FALSE;
  if (!request->cloud_init)
    return TRUE;
  LmSeedSpec seed = {
    .name = machine->name,
    .uuid = machine->uuid,
    .user_data = request->user_data,
    .meta_data = request->meta_data,
    .network_config = request->network_config,
    .ssh_keys = (const char *const *) request->ssh_keys,
  };
  return lm_seed_write (&seed, machine->seed, cancellable, error);
}

gboolean
lm_disks_sync (const LmPlan *plan, const LmMachine *machine, GError **error)
{
  for (guint i = 0; i < plan->blobs->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (plan->blobs, i);
      if (!lm_boot_sync (copy_of (machine, &item->blob), error))
        return FALSE;
    }
  return TRUE;
}

static gpointer
run_job (gpointer data)
{
  LmDisksJob *job = data;
  job->ok = lm_disks_make (job->state_dir, job->request, job->plan, job->machine, job->cancellable, &job->error);
  return NULL;
}

LmDisksJob *
lm_disks_begin (const char *state_dir, const LmLaunchRequest *request, const LmPlan *plan, LmMachine *machine, GCancellable *cancellable)
{
  LmDisksJob *job = g_new0 (LmDisksJob, 1);
  *job = (LmDisksJob){ .state_dir = state_dir, .request = request, .plan = plan, .machine = machine, .cancellable = cancellable };
  job->thread = g_thread_try_new ("disks", run_job, job, NULL);
  /* No thread can be had: then one after the other. */
  if (job->thread == NULL)
    run_job (job);
  return job;
}

gboolean
lm_disks_finish (LmDisksJob *job, GError **error)
{
  if (job->thread != NULL)
    g_thread_join (job->thread);
  gboolean ok = job->ok;
  if (!ok)
    g_propagate_error (error, job->error);
  g_free (job);
  return ok;
}
