/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Domains of libvirt: finding, defining, starting, stopping. Each call is one round
 * trip unless stated otherwise. Errors: LM_VIRT_ERROR; any operation on a domain
 * that no longer exists fails with LM_VIRT_ERROR_NOT_FOUND. */
#include "virt/connect.h"

typedef struct _LmVirtDomain LmVirtDomain;

typedef enum
{
  LM_VIRT_STATE_RUNNING, /* including idle and shutting down */
  LM_VIRT_STATE_PAUSED,  /* including suspended by the guest */
  LM_VIRT_STATE_SHUT_OFF,
  LM_VIRT_STATE_CRASHED,
} LmVirtState;

/** lm_virt_state_name: returns "running", "paused", "shut off" or "crashed". */
const char *lm_virt_state_name (LmVirtState state);

/** lm_virt_domain_free: frees @domain; NULL is ignored. */
void lm_virt_domain_free (LmVirtDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmVirtDomain, lm_virt_domain_free)

/** lm_virt_define: defines a persistent domain from @xml, which contains @name and
 * @uuid (lower case), and does not start it. An existing domain with the same name
 * and uuid is redefined; LM_VIRT_ERROR_EXISTS if another domain has the name. */
LmVirtDomain *lm_virt_define (LmVirt *virt, const char *xml, const char *name, const char *uuid,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_create: starts a transient domain from @xml, which disappears when it
 * stops. Otherwise like lm_virt_define(). */
LmVirtDomain *lm_virt_create (LmVirt *virt, const char *xml, const char *name, const char *uuid,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_find_name, lm_virt_find_uuid: LM_VIRT_ERROR_NOT_FOUND if there is no such domain. */
LmVirtDomain *lm_virt_find_name (LmVirt *virt, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
LmVirtDomain *lm_virt_find_uuid (LmVirt *virt, const char *uuid, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_list_domains: returns all domains (LmVirtDomain), running or not. */
GPtrArray *lm_virt_list_domains (LmVirt *virt, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Return the name and the uuid. Owned by @domain; no round trip. */
const char *lm_virt_domain_name (const LmVirtDomain *domain);
const char *lm_virt_domain_uuid (const LmVirtDomain *domain);

/** lm_virt_domain_start: starts @domain. */
gboolean lm_virt_domain_start (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_destroy: stops @domain immediately; LM_VIRT_ERROR_STATE if it is
 * not running. */
gboolean lm_virt_domain_destroy (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_has_saved_state: whether the next start resumes from a state
 * saved by virsh managedsave; FALSE also if libvirt cannot tell. */
gboolean lm_virt_domain_has_saved_state (LmVirtDomain *domain);
/** lm_virt_domain_has_saved: whether there is something that
 * lm_virt_domain_undefine() would remove: a state saved by virsh managedsave,
 * snapshots or checkpoints. Up to three round trips. */
gboolean lm_virt_domain_has_saved (LmVirtDomain *domain, gboolean *out_saved, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_keeps_tpm: whether lm_virt_domain_undefine() is able to keep the
 * state of an emulated TPM. */
gboolean lm_virt_domain_keeps_tpm (LmVirtDomain *domain, gboolean *out_keeps, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_undefine: undefines @domain and removes its saved state, the
 * metadata of its snapshots and checkpoints, its NVRAM and the state of its TPM. If
 * @keep is set, NVRAM and TPM are kept, and anything else of these is an error.
 * Disks are kept. A running domain continues as a transient one. */
gboolean lm_virt_domain_undefine (LmVirtDomain *domain, gboolean keep, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_set_autostart: sets whether @domain starts when the host starts. */
gboolean lm_virt_domain_set_autostart (LmVirtDomain *domain, gboolean autostart, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_get_autostart: gets whether @domain starts when the host starts. */
gboolean lm_virt_domain_get_autostart (LmVirtDomain *domain, gboolean *out_autostart, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_is_persistent: gets whether @domain is persistent. */
gboolean lm_virt_domain_is_persistent (LmVirtDomain *domain, gboolean *out_persistent, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_state: gets the state of @domain. */
gboolean lm_virt_domain_state (LmVirtDomain *domain, LmVirtState *out_state, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_domain_is_active: whether @domain is running or paused now; FALSE also
 * if it no longer exists. TRUE if there was no answer, so that a domain counts as
 * stopped only if that is known. */
gboolean lm_virt_domain_is_active (LmVirtDomain *domain);

/** lm_virt_domain_run: returns an identifier of the current run of an active domain
 * on this host, newly allocated: it differs after another start, whoever started it
 * (but may repeat after libvirtd was restarted), and stays the same after a reboot
 * of the guest. */
char *lm_virt_domain_run (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_domain_xml: returns the XML as defined, including passwords, newly
 * allocated. It can be passed to lm_virt_define() or, for a transient domain, to
 * lm_virt_create(). */
char *lm_virt_domain_xml (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_domain_live_xml: returns the current XML, newly allocated: for a running
 * domain, including devices that were plugged in and changes to its disks since it
 * was defined. */
char *lm_virt_domain_live_xml (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_domain_addresses: returns the numeric addresses of the guest's network
 * cards as known from DHCP leases, the guest agent and the host's ARP table,
 * without loopback and link-local addresses; newly allocated. Up to three round
 * trips; empty if nothing is known. */
char **lm_virt_domain_addresses (LmVirtDomain *domain);
