/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/domain.h"
#include "base/trace.h"
#include "virt/call.h"

#include <gio/gio.h>
#include <string.h>

/* Version 8.9.0 in libvirt's numbering. */
#define TPM_VERSION 8009000
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

const char *
lm_virt_state_name (LmVirtState state)
{
  static const char *const names[] = { "running", "paused", "shut off", "crashed" };
  return names[state];
}

/* Takes ownership of @handle. */
static LmVirtDomain *
domain_new (LmVirt *virt, virDomainPtr handle)
{
  LmVirtDomain *domain = g_new0 (LmVirtDomain, 1);
  domain->virt = lm_virt_ref (virt);
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
  lm_virt_free (domain->virt);
  g_free (domain->name);
  g_free (domain);
}

static void
call_find_name (LmVirtCall *call)
{
  call->domain = virDomainLookupByName (call->virt->connection, call->text);
}

static void
call_find_uuid (LmVirtCall *call)
{
  call->domain = virDomainLookupByUUIDString (call->virt->connection, call->text);
}

static LmVirtDomain *
find_domain (LmVirt *virt, LmVirtCallFunc func, const char *key, const char *shown, GError **error)
{
  g_autoptr (LmVirtCall) call = lm_virt_call_new (virt, NULL, func);
  g_autofree char *what = g_strdup_printf ("look for domain %s", shown);
  call->text = g_strdup (key);
  if (!lm_virt_call_run (call, LM_VIRT_CALL_QUERY, what, error))
    return NULL;
  if (call->domain != NULL)
    return domain_new (virt, g_steal_pointer (&call->domain));
  lm_virt_call_throw (call, error, "domain %s", shown);
  return NULL;
}

LmVirtDomain *
lm_virt_find_name (LmVirt *virt, const char *name, GError **error)
{
  g_autofree char *shown = g_strdup_printf ("\"%s\"", name);
  return find_domain (virt, call_find_name, name, shown, error);
}

LmVirtDomain *
lm_virt_find_uuid (LmVirt *virt, const char *uuid, GError **error)
{
  return find_domain (virt, call_find_uuid, uuid, uuid, error);
}

/* libvirt reports a name or uuid that is in use as a general failure, so this looks
 * up the name. */
static gboolean
is_name_in_use (LmVirt *virt, const char *name, const char *uuid)
{
  g_autoptr (LmVirtDomain) other = lm_virt_find_name (virt, name, NULL);
  return other != NULL && strcmp (other->uuid, uuid) != 0;
}

static void
call_define (LmVirtCall *call)
{
  call->domain = virDomainDefineXML (call->virt->connection, call->text);
}

static void
call_create (LmVirtCall *call)
{
  call->domain = virDomainCreateXML (call->virt->connection, call->text, 0);
}

/* Creates a domain from @xml with @func. */
static LmVirtDomain *
create_domain (LmVirt *virt, LmVirtCallFunc func, const char *xml, const char *name, const char *uuid, GError **error)
{
  const char *verb = func == call_define ? "define" : "create";
  g_autoptr (LmVirtCall) call = lm_virt_call_new (virt, NULL, func);
  g_autofree char *what = g_strdup_printf ("%s domain \"%s\"", verb, name);
  call->text = g_strdup (xml);
  if (!lm_virt_call_run (call, func == call_define ? LM_VIRT_CALL_CHANGE : LM_VIRT_CALL_START, what, error))
    return NULL;
  lm_trace (LM_TRACE_VIRT, "%s: %s", what, call->domain == NULL ? "failed" : "done");
  if (call->domain != NULL)
    return domain_new (virt, g_steal_pointer (&call->domain));
  g_autoptr (GError) local = NULL;
  lm_virt_call_throw (call, &local, "cannot %s", what);
  if (g_error_matches (local, LM_VIRT_ERROR, LM_VIRT_ERROR_FAILED) && is_name_in_use (virt, name, uuid))
    local->code = LM_VIRT_ERROR_EXISTS;
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

LmVirtDomain *
lm_virt_define (LmVirt *virt, const char *xml, const char *name, const char *uuid, GError **error)
{
  return create_domain (virt, call_define, xml, name, uuid, error);
}

LmVirtDomain *
lm_virt_create (LmVirt *virt, const char *xml, const char *name, const char *uuid, GError **error)
{
  return create_domain (virt, call_create, xml, name, uuid, error);
}

static void
free_handle (gpointer handle)
{
  virDomainFree (handle);
}

static void
call_list (LmVirtCall *call)
{
  virDomainPtr *handles = NULL;
  call->status = virConnectListAllDomains (call->virt->connection, &handles, 0);
  call->out_list = g_ptr_array_new_with_free_func (free_handle);
  for (int i = 0; i < call->status; i++)
    g_ptr_array_add (call->out_list, handles[i]);
  free (handles);
}

GPtrArray *
lm_virt_list_domains (LmVirt *virt, GError **error)
{
  g_autoptr (LmVirtCall) call = lm_virt_call_new (virt, NULL, call_list);
  g_autofree char *what = g_strdup_printf ("list the domains of %s", lm_virt_uri (virt));
  if (!lm_virt_call_run (call, LM_VIRT_CALL_QUERY, what, error))
    return NULL;
  if (call->status < 0)
    {
      lm_virt_call_throw (call, error, "cannot %s", what);
      return NULL;
    }
  GPtrArray *domains = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_virt_domain_free);
  while (call->out_list->len > 0)
    g_ptr_array_add (domains, domain_new (virt, g_ptr_array_steal_index (call->out_list, 0)));
  return domains;
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

/* Runs @call and checks its status. Error message: "cannot @verb domain". */
static gboolean
run_domain_call (const LmVirtDomain *domain, LmVirtCall *call, LmVirtCallKind kind, const char *verb, GError **error)
{
  g_autofree char *what = g_strdup_printf ("%s domain \"%s\"", verb, domain->name);
  if (!lm_virt_call_run (call, kind, what, error))
    return FALSE;
  lm_trace (LM_TRACE_VIRT, "%s: %s", what, call->status < 0 ? "failed" : "done");
  return call->status >= 0 || lm_virt_call_throw (call, error, "cannot %s", what);
}

static LmVirtCall *
domain_call_new (LmVirtDomain *domain, LmVirtCallFunc func)
{
  return lm_virt_call_new (domain->virt, domain->domain, func);
}

static void
call_start (LmVirtCall *call)
{
  call->status = virDomainCreate (call->domain);
}

gboolean
lm_virt_domain_start (LmVirtDomain *domain, GError **error)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_start);
  return run_domain_call (domain, call, LM_VIRT_CALL_START, "start", error);
}

static void
call_destroy (LmVirtCall *call)
{
  call->status = virDomainDestroy (call->domain);
}

gboolean
lm_virt_domain_destroy (LmVirtDomain *domain, GError **error)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_destroy);
  return run_domain_call (domain, call, LM_VIRT_CALL_CHANGE, "stop", error);
}

/* Whether undefining can keep the state of an emulated TPM: QEMU's driver since
 * 8.9. The daemon may be older than this library. */
static gboolean
supports_keep_tpm (virConnectPtr connection)
{
  unsigned long version = 0;
  const char *type = virConnectGetType (connection);
  return type != NULL && strcmp (type, "QEMU") == 0 && virConnectGetLibVersion (connection, &version) == 0
         && version >= TPM_VERSION;
}

static void
call_keeps_tpm (LmVirtCall *call)
{
  call->status = supports_keep_tpm (call->virt->connection) ? 1 : 0;
}

gboolean
lm_virt_domain_keeps_tpm (LmVirtDomain *domain, gboolean *out_keeps, GError **error)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_keeps_tpm);
  if (!run_domain_call (domain, call, LM_VIRT_CALL_QUERY, "query", error))
    return FALSE;
  *out_keeps = call->status > 0;
  return TRUE;
}

static void
call_undefine (LmVirtCall *call)
{
  unsigned int flags = call->number ? 0 : VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
  /* Some drivers, such as libvirt's test driver, do not know these flags. */
  unsigned int qemu_flags
    = call->number ? VIR_DOMAIN_UNDEFINE_KEEP_NVRAM : VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM;
  if (supports_keep_tpm (call->virt->connection))
    qemu_flags |= call->number ? VIR_DOMAIN_UNDEFINE_KEEP_TPM : VIR_DOMAIN_UNDEFINE_TPM;
  call->status = virDomainUndefineFlags (call->domain, flags | qemu_flags);
  if (call->status < 0 && virGetLastErrorCode () == VIR_ERR_INVALID_ARG)
    call->status = virDomainUndefineFlags (call->domain, flags);
}

gboolean
lm_virt_domain_undefine (LmVirtDomain *domain, gboolean keep, GError **error)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_undefine);
  call->number = keep;
  return run_domain_call (domain, call, LM_VIRT_CALL_CHANGE, "undefine", error);
}

static void
call_set_autostart (LmVirtCall *call)
{
  call->status = virDomainSetAutostart (call->domain, call->number);
}

gboolean
lm_virt_domain_set_autostart (LmVirtDomain *domain, gboolean autostart, GError **error)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_set_autostart);
  call->number = autostart ? 1 : 0;
  return run_domain_call (domain, call, LM_VIRT_CALL_CHANGE, "set autostart of", error);
}

static void
call_get_autostart (LmVirtCall *call)
{
  call->status = virDomainGetAutostart (call->domain, &call->number);
}

gboolean
lm_virt_domain_get_autostart (LmVirtDomain *domain, gboolean *out_autostart, GError **error)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_get_autostart);
  if (!run_domain_call (domain, call, LM_VIRT_CALL_QUERY, "read autostart of", error))
    return FALSE;
  *out_autostart = call->number != 0;
  return TRUE;
}

static void
call_is_persistent (LmVirtCall *call)
{
  call->status = virDomainIsPersistent (call->domain);
}

gboolean
lm_virt_domain_is_persistent (LmVirtDomain *domain, gboolean *out_persistent, GError **error)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_is_persistent);
  if (!run_domain_call (domain, call, LM_VIRT_CALL_QUERY, "query", error))
    return FALSE;
  *out_persistent = call->status != 0;
  return TRUE;
}

static void
call_has_saved_state (LmVirtCall *call)
{
  call->status = virDomainHasManagedSaveImage (call->domain, 0);
}

gboolean
lm_virt_domain_has_saved_state (LmVirtDomain *domain)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_has_saved_state);
  return run_domain_call (domain, call, LM_VIRT_CALL_QUERY, "look for a saved state of", NULL) && call->status > 0;
}

static void
call_has_saved (LmVirtCall *call)
{
  call->status = virDomainHasManagedSaveImage (call->domain, 0);
  if (call->status == 0)
    call->status = virDomainSnapshotNum (call->domain, 0);
  if (call->status != 0)
    return;
  call->status = virDomainListAllCheckpoints (call->domain, NULL, 0);
  /* Not every driver supports them. */
  if (call->status < 0 && virGetLastErrorCode () == VIR_ERR_NO_SUPPORT)
    call->status = 0;
}

gboolean
lm_virt_domain_has_saved (LmVirtDomain *domain, gboolean *out_saved, GError **error)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_has_saved);
  if (!run_domain_call (domain, call, LM_VIRT_CALL_QUERY, "list the saved states of", error))
    return FALSE;
  *out_saved = call->status > 0;
  return TRUE;
}

static void
call_state (LmVirtCall *call)
{
  call->number = VIR_DOMAIN_NOSTATE;
  call->status = virDomainGetState (call->domain, &call->number, NULL, 0);
}

gboolean
lm_virt_domain_state (LmVirtDomain *domain, LmVirtState *out_state, GError **error)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_state);
  if (!run_domain_call (domain, call, LM_VIRT_CALL_QUERY, "query", error))
    return FALSE;
  switch (call->number)
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

static void
call_id (LmVirtCall *call)
{
  virDomainPtr now = virDomainLookupByUUIDString (call->virt->connection, call->text);
  if (now == NULL)
    return;
  call->number = (int) virDomainGetID (now);
  call->status = 0;
  virDomainFree (now);
}

/* libvirt numbers the starts, beginning with one when the host boots. */
char *
lm_virt_domain_run (LmVirtDomain *domain, GError **error)
{
  g_autofree char *boot = NULL;
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_id);
  call->text = g_strdup (domain->uuid);
  if (!run_domain_call (domain, call, LM_VIRT_CALL_QUERY, "query", error))
    return NULL;
  if (!g_file_get_contents (BOOT_ID, &boot, NULL, NULL))
    boot = g_strdup ("?");
  return g_strdup_printf ("%s/%d", g_strchomp (boot), call->number);
}

static void
call_xml (LmVirtCall *call)
{
  call->out_text = virDomainGetXMLDesc (call->domain, call->flags);
  call->status = call->out_text != NULL ? 0 : -1;
}

char *
lm_virt_domain_xml (LmVirtDomain *domain, GError **error)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_xml);
  call->flags = VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE;
  return run_domain_call (domain, call, LM_VIRT_CALL_QUERY, "read", error) ? g_steal_pointer (&call->out_text) : NULL;
}

char *
lm_virt_domain_live_xml (LmVirtDomain *domain, GError **error)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_xml);
  return run_domain_call (domain, call, LM_VIRT_CALL_QUERY, "read", error) ? g_steal_pointer (&call->out_text) : NULL;
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
add_addresses_from (LmVirtCall *call, unsigned int source)
{
  virDomainInterfacePtr *interfaces = NULL;
  int count = virDomainInterfaceAddresses (call->domain, &interfaces, source, 0);
  for (int i = 0; i < count; i++)
    {
      for (unsigned int j = 0; j < interfaces[i]->naddrs; j++)
        add_address (call->out_list, interfaces[i]->addrs[j].addr);
      virDomainInterfaceFree (interfaces[i]);
    }
  free (interfaces);
}

static void
call_addresses (LmVirtCall *call)
{
  static const unsigned int sources[] = { VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
                                          VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
                                          VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP };
  call->out_list = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    add_addresses_from (call, sources[i]);
  call->status = 0;
}

char **
lm_virt_domain_addresses (LmVirtDomain *domain)
{
  g_autoptr (LmVirtCall) call = domain_call_new (domain, call_addresses);
  g_autoptr (GStrvBuilder) addresses = g_strv_builder_new ();
  if (run_domain_call (domain, call, LM_VIRT_CALL_QUERY, "read the addresses of", NULL))
    for (guint i = 0; i < call->out_list->len; i++)
      g_strv_builder_add (addresses, g_ptr_array_index (call->out_list, i));
  return g_strv_builder_end (addresses);
}
