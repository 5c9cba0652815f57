/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "lamina hook prepare", which the libvirt hook runs if a machine is not ready to
 * start. Not for users, so it is not in the help; lamina-hook(8) says what it does. */
#include "config.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/host.h"
#include "domain/outline.h"
#include "ops/adoption.h"

#include <string.h>
#include <unistd.h>

#define MAX_XML (16 * 1024 * 1024)
/* Time for a transfer to end after it was cancelled. */
#define GRACE_SECONDS 30

/* Ends the operation after a time. */
typedef struct
{
  GMutex mutex;
  GCond ended;
  gint64 end_time;
  gboolean done;
  gboolean expired;
  GCancellable *cancellable;
} Watch;

static gpointer
watch_time (gpointer data)
{
  Watch *watch = data;
  g_mutex_lock (&watch->mutex);
  while (!watch->done && !watch->expired)
    watch->expired = !g_cond_wait_until (&watch->ended, &watch->mutex, watch->end_time) && !watch->done;
  if (watch->expired)
    g_cancellable_cancel (watch->cancellable);
  g_mutex_unlock (&watch->mutex);
  return NULL;
}

/* libvirt shows what is printed; only the reason of a failure matters there. */
static void
ignore_text (gpointer user_data, const char *text)
{
}

static gboolean
adopt_in_time (const LmInvocation *invocation, const LmHost *host, const char *xml, GError **error)
{
  guint seconds = invocation->settings->hook_timeout;
  Watch watch = { .end_time = g_get_monotonic_time () + seconds * G_USEC_PER_SEC, .cancellable = invocation->cancellable };
  g_mutex_init (&watch.mutex);
  g_cond_init (&watch.ended);
  GThread *thread = g_thread_try_new ("timeout", watch_time, &watch, error);
  if (thread == NULL)
    return FALSE;
  /* The kernel ends what cannot be cancelled, such as access to a dead network file system. */
  alarm (seconds + GRACE_SECONDS);
  g_autoptr (GError) failure = NULL;
  gboolean adopted = lm_adopt (host, xml, invocation->cancellable, &failure);
  alarm (0);
  g_mutex_lock (&watch.mutex);
  watch.done = TRUE;
  g_cond_signal (&watch.ended);
  g_mutex_unlock (&watch.mutex);
  g_thread_join (thread);
  g_mutex_clear (&watch.mutex);
  g_cond_clear (&watch.ended);
  if (!adopted && watch.expired && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_BUSY,
                     "its layers could not be pulled within %u s (hook-timeout in lamina.conf); what was transferred "
                     "is kept, and the next start or \"lamina pull\" continues%s", seconds,
                     host->build != NULL ? "; what has to be built (build = yes) begins anew, therefore do it with \"lamina pull\"" : "");
  if (!adopted)
    g_propagate_error (error, g_steal_pointer (&failure));
  return adopted;
}

static gboolean
run_hook_prepare (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (GBytes) bytes = host != NULL ? lm_fd_read_bytes (STDIN_FILENO, "the XML of the domain", MAX_XML, error) : NULL;
  if (bytes == NULL)
    return FALSE;
  host->host.in_start = TRUE;
  host->host.warning = ignore_text;
  host->host.status = ignore_text;
  g_autofree char *xml = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autoptr (LmDomainOutline) outline = lm_domain_outline_parse (xml, error);
  if (outline == NULL)
    return FALSE;
  g_autoptr (GError) failure = NULL;
  if (adopt_in_time (invocation, &host->host, xml, &failure))
    return TRUE;
  g_strdelimit (failure->message, "\n", ' ');
  g_propagate_prefixed_error (error, g_steal_pointer (&failure), "%s cannot start: ", outline->name);
  return FALSE;
}

const LmVerb lm_verb_hook_prepare = {
  .name = "hook prepare",
  .run = run_hook_prepare,
};
