/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Domains of libvirt: finding, defining, starting, stopping. Each call is one
 * round trip unless it says otherwise. Errors: LM_VIRT_ERROR; whatever is done
 * to a domain that is gone gives LM_VIRT_ERROR_NOT_FOUND. */
#include "virt/connect.h"

typedef struct _LmVirtDomain LmVirtDomain;

typedef enum
{
  LM_VIRT_STATE_RUNNING, /* also idle, or shutting down */
  LM_VIRT_STATE_PAUSED,  /* also suspended by the guest */
  LM_VIRT_STATE_SHUT_OFF,
  LM_VIRT_STATE_CRASHED,
} LmVirtState;

/** lm_virt_state_name: "running", "paused", "shut off", "crashed". */
const char *lm_virt_state_name (LmVirtState state);

void lm_virt_domain_free (LmVirtDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmVirtDomain, lm_virt_domain_free)

/** lm_virt_define: makes the persistent domain of @xml, which has the @name and
 * @uuid (lower case), not started. The same two once more redefine it;
 * LM_VIRT_ERROR_EXISTS when another domain has the name. */
LmVirtDomain *lm_virt_define (LmVirt *virt, const char *xml, const char *name, const char *uuid,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_create: starts a transient domain of @xml: gone once it stops.
 * Otherwise as lm_virt_define(). */
LmVirtDomain *lm_virt_create (LmVirt *virt, const char *xml, const char *name, const char *uuid,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_find_name, lm_virt_find_uuid: LM_VIRT_ERROR_NOT_FOUND if none. */
LmVirtDomain *lm_virt_find_name (LmVirt *virt, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
LmVirtDomain *lm_virt_find_uuid (LmVirt *virt, const char *uuid, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_list_domains: every domain (LmVirtDomain), running or not. */
GPtrArray *lm_virt_list_domains (LmVirt *virt, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Owned by @domain; no round trip. */
const char *lm_virt_domain_name (const LmVirtDomain *domain);
const char *lm_virt_domain_uuid (const LmVirtDomain *domain);

gboolean lm_virt_domain_start (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_destroy: stops it at once; LM_VIRT_ERROR_STATE if it does
 * not run. */
gboolean lm_virt_domain_destroy (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_has_saved_state: whether the next start goes on from a state
 * that virsh managedsave kept; FALSE also if libvirt cannot say. */
gboolean lm_virt_domain_has_saved_state (LmVirtDomain *domain);
/** lm_virt_domain_has_saved: whether libvirt keeps something of @domain that
 * lm_virt_domain_undefine() would remove: a state that virsh managedsave kept,
 * snapshots or checkpoints. Up to three round trips. */
gboolean lm_virt_domain_has_saved (LmVirtDomain *domain, gboolean *out_saved, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_keeps_tpm: whether lm_virt_domain_undefine() could keep the state of
 * an emulated TPM. */
gboolean lm_virt_domain_keeps_tpm (LmVirtDomain *domain, gboolean *out_keeps, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_virt_domain_undefine: forgets it, with its saved state and the metadata
 * of snapshots and checkpoints, and with its NVRAM and the state of its TPM unless
 * @keep_firmware; disks stay. A running one goes on as a transient one. */
gboolean lm_virt_domain_undefine (LmVirtDomain *domain, gboolean keep_firmware, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_virt_domain_set_autostart (LmVirtDomain *domain, gboolean autostart, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_virt_domain_get_autostart (LmVirtDomain *domain, gboolean *out_autostart, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_virt_domain_is_persistent (LmVirtDomain *domain, gboolean *out_persistent, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_virt_domain_state (LmVirtDomain *domain, LmVirtState *out_state, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_domain_is_active: whether it runs (or is paused) now; FALSE also
 * when it is gone. An answer that could not be had counts as TRUE: only what
 * is known to have stopped is stopped. */
gboolean lm_virt_domain_is_active (LmVirtDomain *domain);

/** lm_virt_domain_run: names this run of an active domain of this host: another
 * start, by whomever, has another name (but may get an old one once libvirtd was
 * restarted); a reboot within it has not. Newly allocated. */
char *lm_virt_domain_run (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_domain_xml: its XML as defined, passwords included: what
 * lm_virt_define() or, of a transient one, lm_virt_create() takes again. */
char *lm_virt_domain_xml (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_domain_live_xml: its XML as it is now: of a running one what was
 * plugged in and where its disks have got to since it was defined. */
char *lm_virt_domain_live_xml (LmVirtDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_domain_addresses: numeric addresses of the guest's cards, as DHCP
 * leases, the guest agent and the host's ARP table know them; none of loopback
 * or link-local. Up to three round trips; empty when nothing is known. */
char **lm_virt_domain_addresses (LmVirtDomain *domain);
