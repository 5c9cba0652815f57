/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/disks.h"
#include "base/fd.h"
#include "image/seed.h"
#include "machine/boot.h"
#include "machine/chain.h"

#include <string.h>

struct _LmDisksJob
{
  gboolean (*func) (LmDisksJob *job, GError **error);
  const LmHost *host;
  const LmLaunchRequest *request;
  const LmPlan *plan;
  LmMachine *machine;
  GCancellable *cancellable;
  GArray *copies; /* int, of the plan's blobs: what is synced */
  GThread *thread;
  gboolean ok;
  GError *error;
};

static gpointer
run_job (gpointer data)
{
  LmDisksJob *job = data;
  job->ok = job->func (job, &job->error);
  return NULL;
}

static void
begin_job (LmDisksJob *job)
{
  job->thread = g_thread_try_new ("disks", run_job, job, NULL);
  /* Without a thread the work is done here. */
  if (job->thread == NULL)
    run_job (job);
}

static gboolean
finish_job (LmDisksJob *job, GError **error)
{
  if (job->thread != NULL)
    g_thread_join (job->thread);
  if (!job->ok)
    g_propagate_error (error, job->error);
  return job->ok;
}

static const char *
get_copy_path (const LmMachine *machine, const LmBlob *blob)
{
  return strcmp (blob->name, "kernel") == 0 ? machine->kernel : machine->initrd;
}

static gboolean
copy_blobs (LmDisksJob *job, GError **error)
{
  for (guint i = 0; i < job->plan->blobs->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (job->plan->blobs, i);
      if (!lm_boot_copy (item->path, get_copy_path (job->machine, &item->blob), job->cancellable, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
make_overlay (const LmDisksJob *job, GError **error)
{
  guint64 size = job->request->disk ? job->request->disk : job->plan->disk;
  g_autoptr (GPtrArray) layers = lm_plan_list_layers (job->plan);
  g_autoptr (LmCache) cache = lm_cache_open_readonly (job->host->state_dir, &job->host->cache, error);
  return cache != NULL
         && lm_chain_make_overlay (cache, layers, job->machine->overlay, size, &job->machine->disk, job->cancellable, error);
}

static gboolean
make_seed (const LmDisksJob *job, GError **error)
{
  const LmLaunchRequest *request = job->request;
  if (!request->cloud_init)
    return TRUE;
  LmSeedSpec seed = {
    .name = job->machine->name,
    .uuid = job->machine->uuid,
    .user_data = request->user_data,
    .meta_data = request->meta_data,
    .network_config = request->network_config,
    .ssh_keys = (const char *const *) request->ssh_keys,
  };
  return lm_seed_write (&seed, job->machine->seed, job->cancellable, error);
}

/* The copies are made while qemu-img creates the overlay. */
static gboolean
make_disks (LmDisksJob *job, GError **error)
{
  LmDisksJob copies = *job;
  copies.func = copy_blobs;
  begin_job (&copies);
  g_autoptr (GError) failure = NULL;
  gboolean made = make_overlay (job, &failure) && make_seed (job, &failure);
  if (!finish_job (&copies, error))
    return FALSE;
  if (!made)
    g_propagate_error (error, g_steal_pointer (&failure));
  return made;
}

static gboolean
sync_copies (LmDisksJob *job, GError **error)
{
  for (guint i = 0; i < job->plan->blobs->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (job->plan->blobs, i);
      if (!lm_boot_sync (g_array_index (job->copies, int, i), get_copy_path (job->machine, &item->blob), error))
        return FALSE;
    }
  return TRUE;
}

static void
close_copy (gpointer fd)
{
  lm_fd_clear (fd);
}

static gboolean
open_copies (LmDisksJob *job, GError **error)
{
  job->copies = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_set_clear_func (job->copies, close_copy);
  for (guint i = 0; i < job->plan->blobs->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (job->plan->blobs, i);
      int fd = lm_boot_open (get_copy_path (job->machine, &item->blob), error);
      if (fd < 0)
        return FALSE;
      g_array_append_val (job->copies, fd);
    }
  return TRUE;
}

LmDisksJob *
lm_disks_begin (const LmHost *host, const LmLaunchRequest *request, const LmPlan *plan, LmMachine *machine,
                GCancellable *cancellable)
{
  LmDisksJob *job = g_new0 (LmDisksJob, 1);
  *job = (LmDisksJob){
    .func = make_disks,
    .host = host,
    .request = request,
    .plan = plan,
    .machine = machine,
    .cancellable = cancellable,
  };
  begin_job (job);
  return job;
}

LmDisksJob *
lm_disks_begin_sync (const LmPlan *plan, LmMachine *machine, GError **error)
{
  g_autofree LmDisksJob *job = g_new0 (LmDisksJob, 1);
  *job = (LmDisksJob){ .func = sync_copies, .plan = plan, .machine = machine };
  if (!open_copies (job, error))
    {
      g_array_unref (job->copies);
      return NULL;
    }
  begin_job (job);
  return g_steal_pointer (&job);
}

gboolean
lm_disks_finish (LmDisksJob *job, GError **error)
{
  if (job == NULL)
    return TRUE;
  gboolean ok = finish_job (job, error);
  g_clear_pointer (&job->copies, g_array_unref);
  g_free (job);
  return ok;
}
