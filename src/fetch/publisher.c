/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/publisher.h"
#include "image/vet.h"

struct _LmPublisher
{
  LmPublisherTask task;
  GThread *thread; /* NULL if there is none */
  GError *error;   /* valid when finished */
  gint finished;   /* atomic */
};

static gboolean
vet_disk_size (const LmPublisherTask *task, GError **error)
{
  if (task->blob->kind != LM_BLOB_LAYER || !task->blob->has_parent)
    return TRUE;
  g_autofree char *parent = lm_cache_get_path (task->cache, LM_BLOB_LAYER, &task->blob->parent);
  return lm_image_vet_size (task->virtual_size, "the file", parent, error);
}

static gpointer
publish_main (gpointer data)
{
  LmPublisher *publisher = data;
  const LmPublisherTask *task = &publisher->task;
  (void) !(vet_disk_size (task, &publisher->error)
           && lm_partial_publish (task->partial, task->blob->kind, task->cancellable, &publisher->error));
  g_atomic_int_set (&publisher->finished, TRUE);
  task->wake (task->user_data);
  return NULL;
}

LmPublisher *
lm_publisher_start (const LmPublisherTask *task)
{
  LmPublisher *publisher = g_new0 (LmPublisher, 1);
  publisher->task = *task;
  publisher->thread = g_thread_try_new ("lm-publish", publish_main, publisher, NULL);
  if (publisher->thread == NULL)
    publish_main (publisher);
  return publisher;
}

gboolean
lm_publisher_poll (LmPublisher *publisher, GError **error)
{
  if (!g_atomic_int_get (&publisher->finished))
    return FALSE;
  if (publisher->error != NULL)
    g_propagate_error (error, g_steal_pointer (&publisher->error));
  return TRUE;
}

void
lm_publisher_free (LmPublisher *publisher)
{
  if (publisher == NULL)
    return;
  g_clear_pointer (&publisher->thread, g_thread_join);
  g_clear_error (&publisher->error);
  g_free (publisher);
}
