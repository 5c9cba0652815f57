/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/call.h"
#include "base/error.h"
#include "base/trace.h"

LmVirtCall *
lm_virt_call_new (LmVirt *virt, virDomainPtr domain, LmVirtCallFunc func)
{
  LmVirtCall *call = g_new0 (LmVirtCall, 1);
  call->virt = lm_virt_ref (virt);
  call->domain = domain;
  if (domain != NULL)
    virDomainRef (domain);
  call->func = func;
  call->status = -1;
  g_atomic_ref_count_init (&call->references);
  g_mutex_init (&call->mutex);
  g_cond_init (&call->changed);
  return call;
}

void
lm_virt_call_unref (LmVirtCall *call)
{
  if (call == NULL || !g_atomic_ref_count_dec (&call->references))
    return;
  if (call->domain != NULL)
    virDomainFree (call->domain);
  if (call->connection != NULL)
    virConnectClose (call->connection);
  g_clear_pointer (&call->virt, lm_virt_free);
  g_clear_pointer (&call->out_list, g_ptr_array_unref);
  g_free (call->text);
  g_free (call->out_text);
  virFreeError (call->error);
  g_mutex_clear (&call->mutex);
  g_cond_clear (&call->changed);
  g_free (call);
}

void
lm_virt_call_set_asking (LmVirtCall *call, gboolean asking)
{
  g_mutex_lock (&call->mutex);
  call->asking = asking;
  g_mutex_unlock (&call->mutex);
}

static gpointer
run_in_thread (gpointer data)
{
  g_autoptr (LmVirtCall) call = data;
  call->func (call);
  virErrorPtr failure = call->error != NULL ? call->error : virSaveLastError ();
  g_mutex_lock (&call->mutex);
  call->error = failure;
  call->done = TRUE;
  if (call->given_up)
    g_atomic_int_add (&call->virt->unanswered, -1);
  g_cond_broadcast (&call->changed);
  g_mutex_unlock (&call->mutex);
  return NULL;
}

static void
wake_call (GCancellable *cancellable, LmVirtCall *call)
{
  g_mutex_lock (&call->mutex);
  g_cond_broadcast (&call->changed);
  g_mutex_unlock (&call->mutex);
}

static gint64
seconds_from_now (guint seconds)
{
  return g_get_monotonic_time () + (gint64) seconds * G_USEC_PER_SEC;
}

/* To be called with the mutex of the call held; waits for its end. */
static void
wait_for_end (LmVirtCall *call, LmVirtCallKind kind, guint seconds, GCancellable *cancellable)
{
  gint64 end = seconds_from_now (seconds);
  gboolean cancelled = FALSE;
  while (!call->done)
    {
      if (!cancelled && g_cancellable_is_cancelled (cancellable))
        {
          cancelled = TRUE;
          end = MIN (end, seconds_from_now (kind == LM_VIRT_CALL_QUERY ? 0 : LM_VIRT_GRACE_SECONDS));
        }
      if (!g_cond_wait_until (&call->changed, &call->mutex, end))
        {
          if (!call->asking || cancelled)
            break;
          end = seconds_from_now (seconds);
        }
    }
  if (!call->done)
    {
      call->given_up = TRUE;
      g_atomic_int_inc (&call->virt->unanswered);
    }
}

static gboolean
throw_given_up (LmVirtCallKind kind, const char *what, guint seconds, gboolean cancelled, GError **error)
{
  const char *later = kind == LM_VIRT_CALL_QUERY ? "" : "; it may still do so once it answers";
  if (cancelled && kind == LM_VIRT_CALL_QUERY)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cannot %s: interrupted", what);
  if (cancelled)
    return lm_throw (error, LM_VIRT_ERROR, LM_VIRT_ERROR_INTERRUPTED,
                     "interrupted while waiting for libvirt to %s%s", what, later);
  return lm_throw (error, LM_VIRT_ERROR, LM_VIRT_ERROR_TIMED_OUT,
                   "cannot %s: libvirt did not answer within %u s (\"libvirt-timeout\" in lamina.conf)%s; check "
                   "whether its daemon works", what, seconds, later);
}

static guint
get_time_limit (LmVirt *virt, LmVirtCallKind kind)
{
  guint seconds = virt->seconds * (kind == LM_VIRT_CALL_START ? LM_VIRT_START_FACTOR : 1);
  return g_atomic_int_get (&virt->unanswered) > 0 ? MIN (seconds, LM_VIRT_GRACE_SECONDS) : seconds;
}

gboolean
lm_virt_call_run (LmVirtCall *call, LmVirtCallKind kind, const char *what, GError **error)
{
  guint seconds = get_time_limit (call->virt, kind);
  g_autoptr (GCancellable) cancellable = g_cancellable_is_cancelled (call->virt->cancellable) || call->virt->cancellable == NULL
                                           ? g_cancellable_new ()
                                           : g_object_ref (call->virt->cancellable);
  g_atomic_ref_count_inc (&call->references);
  GThread *thread = g_thread_try_new ("libvirt", run_in_thread, call, NULL);
  if (thread != NULL)
    g_thread_unref (thread);
  else
    run_in_thread (call);
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (wake_call), call, NULL);
  g_mutex_lock (&call->mutex);
  wait_for_end (call, kind, seconds, cancellable);
  gboolean done = call->done;
  g_mutex_unlock (&call->mutex);
  g_cancellable_disconnect (cancellable, handler);
  if (!done)
    {
      lm_trace (LM_TRACE_VIRT, "%s: given up", what);
      return throw_given_up (kind, what, seconds, g_cancellable_is_cancelled (cancellable), error);
    }
  return TRUE;
}
