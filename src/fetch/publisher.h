/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The publication of one verified file in a thread of its own, because it waits for
 * the lock of the cache and for the disk. Private to fetch. All functions are called
 * in the same thread. */
#include "cache/partial.h"

typedef struct _LmPublisher LmPublisher;

typedef struct
{
  const LmBlob *blob;
  guint64 virtual_size; /* of a layer */
  LmCache *cache;
  LmPartial *partial; /* synced */
  GCancellable *cancellable;
  void (*wake) (gpointer user_data); /* called from any thread when there is a result */
  gpointer user_data;
} LmPublisherTask;

/** lm_publisher_start: starts to compare the disk of a layer with that of its
 * parent, if it has one, and then to publish the file. What @task points to must
 * outlive the result. If no thread can be created, it does all this before it
 * returns. Never NULL. */
LmPublisher *lm_publisher_start (const LmPublisherTask *task);

/** lm_publisher_poll: TRUE once the work has ended; @error is set if it failed.
 * Errors: those of lm_image_vet_size() and lm_partial_publish(). */
gboolean lm_publisher_poll (LmPublisher *publisher, GError **error);

/** lm_publisher_free: waits for the end of the work and frees @publisher; NULL is ignored. */
void lm_publisher_free (LmPublisher *publisher);
