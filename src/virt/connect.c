/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/connect.h"
#include "base/trace.h"
#include "virt/private.h"

#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

#define KVM_DEVICE "/dev/kvm"

/* Errors are thrown as GErrors and printed once, by the program. */
static void
ignore_error (void *user_data, virErrorPtr error)
{
}

/* One daemon has one name: "qemu+unix:///system" is "qemu:///system", unless it
 * says which socket. */
static char *
canonical (const char *uri)
{
  const char *transport = strstr (uri, "+unix:///");
  if (transport == NULL || strchr (uri, '?') != NULL || memchr (uri, ':', (gsize) (transport - uri)) != NULL)
    return g_strdup (uri);
  return g_strdup_printf ("%.*s%s", (int) (transport - uri), uri, transport + strlen ("+unix"));
}

LmVirt *
lm_virt_connect (const char *uri, GError **error)
{
  virSetErrorFunc (NULL, ignore_error);
  g_autoptr (LmVirt) virt = g_new0 (LmVirt, 1);
  virt->connection = virConnectOpenAuth (uri, virConnectAuthPtrDefault, 0);
  if (virt->connection == NULL)
    {
      lm_virt_throw_code (error, LM_VIRT_ERROR_CONNECT, "cannot connect to libvirt%s%s", uri != NULL ? " at " : "",
                          uri != NULL ? uri : "");
      return NULL;
    }
  char *actual = virConnectGetURI (virt->connection);
  virt->uri = canonical (actual != NULL ? actual : "");
  free (actual);
  lm_trace (LM_TRACE_VIRT, "connected to %s", virt->uri);
  return g_steal_pointer (&virt);
}

void
lm_virt_free (LmVirt *virt)
{
  if (virt == NULL)
    return;
  if (virt->connection != NULL)
    virConnectClose (virt->connection);
  g_free (virt->uri);
  g_free (virt);
}

const char *
lm_virt_uri (const LmVirt *virt)
{
  return virt->uri;
}

/* libvirt's URIs: driver[+transport]://[user@][host][:port]/path[?query] */

gboolean
lm_virt_is_local (const LmVirt *virt)
{
  g_autoptr (GUri) uri = g_uri_parse (virt->uri, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  return host == NULL || host[0] == '\0';
}

gboolean
lm_virt_is_system (const LmVirt *virt)
{
  g_autoptr (GUri) uri = g_uri_parse (virt->uri, G_URI_FLAGS_NONE, NULL);
  const char *path = uri != NULL ? g_uri_get_path (uri) : "";
  return strcmp (path, "/system") == 0 || (strcmp (path, "/embed") == 0 && geteuid () == 0);
}

gboolean
lm_virt_offers_kvm (const LmVirt *virt, const char *arch)
{
  if (lm_virt_is_local (virt) && access (KVM_DEVICE, lm_virt_is_system (virt) ? F_OK : R_OK | W_OK) != 0)
    return FALSE;
  char *capabilities = virConnectGetDomainCapabilities (virt->connection, NULL, arch, NULL, "kvm", 0);
  gboolean offered = capabilities != NULL;
  free (capabilities);
  lm_trace (LM_TRACE_VIRT, "kvm for %s is %soffered", arch, offered ? "" : "not ");
  return offered;
}
