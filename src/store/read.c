/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/testenv.h"
#include "base/trace.h"
#include "base/url.h"
#include "store/store.h"

void
lm_store_object_free (LmStoreObject *object)
{
  if (object == NULL)
    return;
  g_clear_pointer (&object->body, g_bytes_unref);
  g_free (object->validator);
  g_free (object->url);
  g_free (object);
}

LmStoreObject *
lm_store_read (const LmStoreRead *request, GCancellable *cancellable, GError **error)
{
  const LmStoreClass *class = lm_store_class_of (request->url, error);
  if (class == NULL)
    return NULL;
  gint64 end = g_get_monotonic_time () + (gint64) request->seconds * G_USEC_PER_SEC;
  for (guint failures = 1;; failures++)
    {
      g_autoptr (GError) failure = NULL;
      gint64 left = (end - g_get_monotonic_time ()) / G_USEC_PER_SEC;
      LmStoreObject *object = class->read (request, (guint) MAX (left, 1), cancellable, &failure);
      if (object != NULL)
        return object;
      guint delay = lm_testenv_get (LM_TESTENV_NO_DELAY) ? 0 : lm_retry_delay (&request->retry, failures, failure, g_random_int ());
      gint64 due = g_get_monotonic_time () + (gint64) delay * 1000;
      if (!lm_retry_is_allowed (&request->retry, failures, failure) || due >= end)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return NULL;
        }
      lm_trace (LM_TRACE_HTTP, "%s; retrying in %u ms", failure->message, delay);
      if (!lm_retry_wait (delay, cancellable, error))
        return NULL;
    }
}
