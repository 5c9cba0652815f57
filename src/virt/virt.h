/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* API WANTED BY THE LEAD (ops is written against it): keep these names, split the .c files as you like. */
/* libvirt, as far as lamina needs it. The only directory that includes it.
 * libvirt's own error printing is silenced; each failure is an LM_VIRT_ERROR
 * with libvirt's message. Calls block on the daemon. */
#include <glib.h>

typedef struct _LmVirt LmVirt;             /* a connection */
typedef struct _LmVirtDomain LmVirtDomain; /* a domain on it; does not outlive it */

typedef enum
{
  LM_VIRT_ERROR_CONNECT,   /* no daemon, no permission, wrong URI */
  LM_VIRT_ERROR_NOT_FOUND, /* no such domain */
  LM_VIRT_ERROR_EXISTS,    /* name or UUID is taken */
  LM_VIRT_ERROR_INVALID,   /* libvirt refuses the XML or the operation in this state */
  LM_VIRT_ERROR_FAILED,    /* anything else */
} LmVirtError;

#define LM_VIRT_ERROR lm_virt_error_quark ()
GQuark lm_virt_error_quark (void);

typedef enum
{
  LM_VIRT_STATE_SHUT_OFF,
  LM_VIRT_STATE_RUNNING,
  LM_VIRT_STATE_PAUSED,
  LM_VIRT_STATE_OTHER, /* crashed, in shutdown, suspended, ... */
} LmVirtState;

/** lm_virt_open: connects to @uri; NULL: what libvirt chooses, as virsh. */
LmVirt *lm_virt_open (const char *uri, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void lm_virt_close (LmVirt *virt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmVirt, lm_virt_close)

/** lm_virt_get_uri: the connection's canonical URI; owned by it. */
const char *lm_virt_get_uri (LmVirt *virt);

/** lm_virt_has_kvm: whether @arch guests can run under kvm here. */
gboolean lm_virt_has_kvm (LmVirt *virt, const char *arch);

/* Look-ups: NULL and LM_VIRT_ERROR_NOT_FOUND when there is none. */
LmVirtDomain *lm_virt_lookup_name (LmVirt *virt, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
LmVirtDomain *lm_virt_lookup_uuid (LmVirt *virt, const char *uuid, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_define: defines a persistent domain, not started. */
LmVirtDomain *lm_virt_define (LmVirt *virt, const char *xml, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_create: starts a transient domain. */
LmVirtDomain *lm_virt_create (LmVirt *virt, const char *xml, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void lm_virt_domain_free (LmVirtDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmVirtDomain, lm_virt_domain_free)

const char *lm_virt_domain_get_name (LmVirtDomain *domain);
const char *lm_virt_domain_get_uuid (LmVirtDomain *domain);

gboolean lm_virt_domain_start (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_stop: pulls the plug; one that does not run is success. */
gboolean lm_virt_domain_stop (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_undefine: with NVRAM, managed save and snapshot metadata;
 * one that is gone already (transient, stopped) is success. */
gboolean lm_virt_domain_undefine (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_virt_domain_set_autostart (LmVirtDomain *domain, gboolean on, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_virt_domain_get_state (LmVirtDomain *domain, LmVirtState *out_state, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_state_name: as virsh says it: "running", "shut off", ... */
const char *lm_virt_state_name (LmVirtState state);
/** lm_virt_domain_is_alive: whether it runs or is paused; FALSE on any error. */
gboolean lm_virt_domain_is_alive (LmVirtDomain *domain);
/** lm_virt_domain_get_addresses: the guest's IP addresses by lease, agent or
 * ARP, as far as known without waiting; newly allocated, perhaps empty. */
char **lm_virt_domain_get_addresses (LmVirtDomain *domain);
/** lm_virt_domain_get_metadata: the lamina element of its metadata as XML;
 * NULL if it has none. */
char *lm_virt_domain_get_metadata (LmVirtDomain *domain, const char *uri);
