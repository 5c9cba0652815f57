/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/domain.h"
#include "base/trace.h"
#include "virt/private.h"

#include <gio/gio.h>
#include <libvirt/virterror.h>
#include <string.h>

const char *
lm_virt_state_name (LmVirtState state)
{
  static const char *const names[] = { "running", "paused", "shut off", "crashed" };
  return names[state];
}

/* Takes @handle over. */
static LmVirtDomain *
wrap (virDomainPtr handle)
{
  LmVirtDomain *domain = g_new0 (LmVirtDomain, 1);
  domain->domain = handle;
  domain->name = g_strdup (virDomainGetName (handle));
  if (virDomainGetUUIDString (handle, domain->uuid) < 0)
    domain->uuid[0] = '\0';
  return domain;
}

void
lm_virt_domain_free (LmVirtDomain *domain)
{
  if (domain == NULL)
    return;
  virDomainFree (domain->domain);
  g_free (domain->name);
  g_free (domain);
}

/* libvirt reports a name or uuid that is taken as a plain failure: asks who has
 * the name. */
static gboolean
is_taken (LmVirt *virt, const char *name, const char *uuid)
{
  virDomainPtr handle = virDomainLookupByName (virt->connection, name);
  if (handle == NULL)
    return FALSE;
  g_autoptr (LmVirtDomain) other = wrap (handle);
  return strcmp (other->uuid, uuid) != 0;
}

/* The end of making a domain: takes @handle over, NULL is libvirt's failure. */
static LmVirtDomain *
wrap_made (LmVirt *virt, virDomainPtr handle, const char *what, const char *name, const char *uuid, GError **error)
{
  lm_trace (LM_TRACE_VIRT, "%s %s: %s", what, name, handle == NULL ? "failed" : "done");
  if (handle != NULL)
    return wrap (handle);
  g_autoptr (GError) local = NULL;
  lm_virt_throw (&local, "cannot %s domain \"%s\"", what, name);
  if (g_error_matches (local, LM_VIRT_ERROR, LM_VIRT_ERROR_FAILED) && is_taken (virt, name, uuid))
    local->code = LM_VIRT_ERROR_EXISTS;
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

LmVirtDomain *
lm_virt_define (LmVirt *virt, const char *xml, const char *name, const char *uuid, GError **error)
{
  return wrap_made (virt, virDomainDefineXML (virt->connection, xml), "define", name, uuid, error);
}

LmVirtDomain *
lm_virt_create (LmVirt *virt, const char *xml, const char *name, const char *uuid, GError **error)
{
  return wrap_made (virt, virDomainCreateXML (virt->connection, xml, 0), "create", name, uuid, error);
}

LmVirtDomain *
lm_virt_find_name (LmVirt *virt, const char *name, GError **error)
{
  virDomainPtr handle = virDomainLookupByName (virt->connection, name);
  if (handle != NULL)
    return wrap (handle);
  lm_virt_throw (error, "domain \"%s\"", name);
  return NULL;
}

LmVirtDomain *
lm_virt_find_uuid (LmVirt *virt, const char *uuid, GError **error)
{
  virDomainPtr handle = virDomainLookupByUUIDString (virt->connection, uuid);
  if (handle != NULL)
    return wrap (handle);
  lm_virt_throw (error, "domain %s", uuid);
  return NULL;
}

const char *
lm_virt_domain_name (const LmVirtDomain *domain)
{
  return domain->name;
}

const char *
lm_virt_domain_uuid (const LmVirtDomain *domain)
{
  return domain->uuid;
}

/* The end of each call on a domain: @status negative is libvirt's failure. */
static gboolean
finish (const LmVirtDomain *domain, const char *what, int status, GError **error)
{
  lm_trace (LM_TRACE_VIRT, "%s %s: %s", what, domain->name, status < 0 ? "failed" : "done");
  if (status < 0)
    return lm_virt_throw (error, "cannot %s domain \"%s\"", what, domain->name);
  return TRUE;
}

gboolean
lm_virt_domain_start (LmVirtDomain *domain, GError **error)
{
  return finish (domain, "start", virDomainCreate (domain->domain), error);
}

gboolean
lm_virt_domain_destroy (LmVirtDomain *domain, GError **error)
{
  return finish (domain, "stop", virDomainDestroy (domain->domain), error);
}

gboolean
lm_virt_domain_undefine (LmVirtDomain *domain, gboolean keep_nvram, GError **error)
{
  unsigned int flags = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
  /* libvirt's test driver, for one, does not know these. */
  unsigned int qemu_flags = VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
                            | (keep_nvram ? VIR_DOMAIN_UNDEFINE_KEEP_NVRAM : VIR_DOMAIN_UNDEFINE_NVRAM);
  int status = virDomainUndefineFlags (domain->domain, flags | qemu_flags);
  if (status < 0 && virGetLastErrorCode () == VIR_ERR_INVALID_ARG)
    status = virDomainUndefineFlags (domain->domain, flags);
  return finish (domain, "undefine", status, error);
}

gboolean
lm_virt_domain_set_autostart (LmVirtDomain *domain, gboolean autostart, GError **error)
{
  return finish (domain, "set autostart of", virDomainSetAutostart (domain->domain, autostart ? 1 : 0), error);
}

gboolean
lm_virt_domain_get_autostart (LmVirtDomain *domain, gboolean *out_autostart, GError **error)
{
  int autostart = 0;
  if (!finish (domain, "read autostart of", virDomainGetAutostart (domain->domain, &autostart), error))
    return FALSE;
  *out_autostart = autostart != 0;
  return TRUE;
}

gboolean
lm_virt_domain_is_persistent (LmVirtDomain *domain, gboolean *out_persistent, GError **error)
{
  int persistent = virDomainIsPersistent (domain->domain);
  if (!finish (domain, "look at", persistent, error))
    return FALSE;
  *out_persistent = persistent != 0;
  return TRUE;
}

gboolean
lm_virt_domain_has_saved_state (LmVirtDomain *domain)
{
  int saved = virDomainHasManagedSaveImage (domain->domain, 0);
  lm_trace (LM_TRACE_VIRT, "saved state of %s: %d", domain->name, saved);
  return saved > 0;
}

gboolean
lm_virt_domain_state (LmVirtDomain *domain, LmVirtState *out_state, GError **error)
{
  int state = VIR_DOMAIN_NOSTATE;
  if (!finish (domain, "look at", virDomainGetState (domain->domain, &state, NULL, 0), error))
    return FALSE;
  switch (state)
    {
    case VIR_DOMAIN_PAUSED:
    case VIR_DOMAIN_PMSUSPENDED:
      *out_state = LM_VIRT_STATE_PAUSED;
      break;
    case VIR_DOMAIN_SHUTOFF:
      *out_state = LM_VIRT_STATE_SHUT_OFF;
      break;
    case VIR_DOMAIN_CRASHED:
      *out_state = LM_VIRT_STATE_CRASHED;
      break;
    default:
      *out_state = LM_VIRT_STATE_RUNNING;
    }
  return TRUE;
}

gboolean
lm_virt_domain_is_active (LmVirtDomain *domain)
{
  g_autoptr (GError) error = NULL;
  LmVirtState state;
  if (!lm_virt_domain_state (domain, &state, &error))
    return !g_error_matches (error, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND);
  return state == LM_VIRT_STATE_RUNNING || state == LM_VIRT_STATE_PAUSED;
}

/* Memory of libvirt's as GLib's. */
static char *
take (char *text)
{
  char *copy = g_strdup (text);
  free (text);
  return copy;
}

char *
lm_virt_domain_xml (LmVirtDomain *domain, GError **error)
{
  char *text = virDomainGetXMLDesc (domain->domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
  return finish (domain, "read", text != NULL ? 0 : -1, error) ? take (text) : NULL;
}

static void
add_address (GPtrArray *addresses, const char *text)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);
  if (address == NULL || g_inet_address_get_is_loopback (address) || g_inet_address_get_is_link_local (address)
      || g_ptr_array_find_with_equal_func (addresses, text, g_str_equal, NULL))
    return;
  g_ptr_array_add (addresses, g_strdup (text));
}

static void
add_addresses_from (GPtrArray *addresses, LmVirtDomain *domain, unsigned int source)
{
  virDomainInterfacePtr *interfaces = NULL;
  int count = virDomainInterfaceAddresses (domain->domain, &interfaces, source, 0);
  for (int i = 0; i < count; i++)
    {
      for (unsigned int j = 0; j < interfaces[i]->naddrs; j++)
        add_address (addresses, interfaces[i]->addrs[j].addr);
      virDomainInterfaceFree (interfaces[i]);
    }
  free (interfaces);
}

char **
lm_virt_domain_addresses (LmVirtDomain *domain)
{
  static const unsigned int sources[] = { VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
                                          VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
                                          VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP };
  g_autoptr (GPtrArray) addresses = g_ptr_array_new ();
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    add_addresses_from (addresses, domain, sources[i]);
  g_ptr_array_add (addresses, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&addresses), FALSE);
}
