/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/connect.h"
#include "base/trace.h"
#include "virt/call.h"

#include <string.h>
#include <unistd.h>

#define KVM_DEVICE "/dev/kvm"

/* Errors are returned as GErrors and printed once, by the program. */
static void
ignore_error (void *user_data, virErrorPtr error)
{
}

/* Removes "+unix" from the URI if it does not name a socket, because
 * "qemu+unix:///system" is the same as "qemu:///system". */
static char *
canonicalize_uri (const char *uri)
{
  const char *transport = strstr (uri, "+unix:///");
  if (transport == NULL || strchr (uri, '?') != NULL || memchr (uri, ':', (gsize) (transport - uri)) != NULL)
    return g_strdup (uri);
  return g_strdup_printf ("%.*s%s", (int) (transport - uri), uri, transport + strlen ("+unix"));
}

static int
ask_user (virConnectCredentialPtr credentials, unsigned int count, void *data)
{
  lm_virt_call_set_asking (data, TRUE);
  int status = virConnectAuthPtrDefault->cb (credentials, count, virConnectAuthPtrDefault->cbdata);
  lm_virt_call_set_asking (data, FALSE);
  return status;
}

static void
call_open (LmVirtCall *call)
{
  virConnectAuth auth = *virConnectAuthPtrDefault;
  auth.cb = ask_user;
  auth.cbdata = call;
  call->connection = virConnectOpenAuth (call->text, &auth, 0);
  char *actual = call->connection != NULL ? virConnectGetURI (call->connection) : NULL;
  call->out_text = canonicalize_uri (actual != NULL ? actual : "");
  free (actual);
}

static void
call_close (LmVirtCall *call)
{
  virConnectClose (g_steal_pointer (&call->virt->connection));
}

/* Closing waits for the daemon as well; if it does not answer, the connection is
 * closed when the process ends. */
static void
close_connection (LmVirt *virt)
{
  virt->seconds = LM_VIRT_GRACE_SECONDS;
  g_autoptr (LmVirtCall) call = lm_virt_call_new (virt, NULL, call_close);
  if (!lm_virt_call_run (call, LM_VIRT_CALL_QUERY, "close", NULL))
    lm_trace (LM_TRACE_VIRT, "%s was not closed", virt->uri);
}

LmVirt *
lm_virt_connect (const char *uri, const LmVirtLimits *limits, GError **error)
{
  if (virInitialize () < 0)
    {
      g_set_error_literal (error, LM_VIRT_ERROR, LM_VIRT_ERROR_CONNECT, "libvirt's library cannot be initialized");
      return NULL;
    }
  virSetErrorFunc (NULL, ignore_error);
  g_autoptr (LmVirt) virt = g_new0 (LmVirt, 1);
  g_atomic_ref_count_init (&virt->references);
  virt->seconds = limits != NULL && limits->seconds > 0 ? limits->seconds : LM_VIRT_SECONDS;
  virt->cancellable = limits != NULL && limits->cancellable != NULL ? g_object_ref (limits->cancellable) : NULL;
  g_autoptr (LmVirtCall) call = lm_virt_call_new (virt, NULL, call_open);
  call->text = g_strdup (uri);
  g_autofree char *what = g_strdup_printf ("connect to libvirt%s%s", uri != NULL ? " at " : "", uri != NULL ? uri : "");
  if (!lm_virt_call_run (call, LM_VIRT_CALL_QUERY, what, error))
    return NULL;
  if (call->connection == NULL)
    {
      lm_virt_call_throw_code (call, error, LM_VIRT_ERROR_CONNECT, "cannot %s", what);
      return NULL;
    }
  virt->connection = g_steal_pointer (&call->connection);
  virt->close = close_connection;
  virt->uri = g_steal_pointer (&call->out_text);
  lm_trace (LM_TRACE_VIRT, "connected to %s", virt->uri);
  return g_steal_pointer (&virt);
}

const char *
lm_virt_uri (const LmVirt *virt)
{
  return virt->uri;
}

/* libvirt's URIs: driver[+transport]://[user@][host][:port]/path[?query] */

gboolean
lm_virt_uri_is_local (const char *uri)
{
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_NONE, NULL);
  const char *host = parsed != NULL ? g_uri_get_host (parsed) : NULL;
  return host == NULL || host[0] == '\0';
}

gboolean
lm_virt_is_local (const LmVirt *virt)
{
  return lm_virt_uri_is_local (virt->uri);
}

gboolean
lm_virt_is_system (const LmVirt *virt)
{
  g_autoptr (GUri) uri = g_uri_parse (virt->uri, G_URI_FLAGS_NONE, NULL);
  const char *path = uri != NULL ? g_uri_get_path (uri) : "";
  return strcmp (path, "/system") == 0 || (strcmp (path, "/embed") == 0 && geteuid () == 0);
}

static void
call_capabilities (LmVirtCall *call)
{
  call->out_text = virConnectGetCapabilities (call->virt->connection);
}

char *
lm_virt_capabilities (LmVirt *virt, GError **error)
{
  g_autoptr (LmVirtCall) call = lm_virt_call_new (virt, NULL, call_capabilities);
  if (!lm_virt_call_run (call, LM_VIRT_CALL_QUERY, "read the host's capabilities", error))
    return NULL;
  if (call->out_text == NULL)
    lm_virt_call_throw (call, error, "cannot read the host's capabilities");
  return g_steal_pointer (&call->out_text);
}

static void
call_domain_capabilities (LmVirtCall *call)
{
  call->out_text = virConnectGetDomainCapabilities (call->virt->connection, NULL, call->text, NULL, "kvm", 0);
}

gboolean
lm_virt_offers_kvm (LmVirt *virt, const char *arch)
{
  if (lm_virt_is_local (virt) && access (KVM_DEVICE, lm_virt_is_system (virt) ? F_OK : R_OK | W_OK) != 0)
    return FALSE;
  g_autoptr (LmVirtCall) call = lm_virt_call_new (virt, NULL, call_domain_capabilities);
  call->text = g_strdup (arch);
  gboolean offered = lm_virt_call_run (call, LM_VIRT_CALL_QUERY, "read libvirt's capabilities", NULL) && call->out_text != NULL;
  lm_trace (LM_TRACE_VIRT, "kvm for %s is %soffered", arch, offered ? "" : "not ");
  return offered;
}
