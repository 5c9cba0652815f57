/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A connection to libvirt. Nothing outside src/virt includes libvirt.
 *
 * Calls block until the daemon answers, but never longer than the limits of the
 * connection. Since libvirt cannot cancel a call, one that was given up may still
 * take effect, as the message says; the caller keeps what it needs to undo it
 * later. If there is no answer in time, any call fails with
 * LM_VIRT_ERROR_TIMED_OUT. When cancelled, a call that changes nothing fails
 * immediately with G_IO_ERROR_CANCELLED, any other after 5 seconds with
 * LM_VIRT_ERROR_INTERRUPTED. A call that begins after the cancellation undoes
 * earlier work and is limited only in time. */
#include "virt/error.h"

#include <gio/gio.h>

typedef struct _LmVirt LmVirt;

#define LM_VIRT_SECONDS 30

/* How long calls may wait for an answer. */
typedef struct
{
  guint seconds;             /* 0 for LM_VIRT_SECONDS; ten times as long for the start of a domain */
  GCancellable *cancellable; /* may be NULL; a reference is kept */
} LmVirtLimits;

/** lm_virt_connect: connects to @uri; if NULL, libvirt chooses as for virsh
 * (LIBVIRT_DEFAULT_URI, libvirt.conf, then what is available). May ask for
 * credentials on the terminal, which is not subject to the time limit. Also stops
 * libvirt from printing errors itself. @limits apply to this and all other calls on
 * the connection; NULL for the defaults. Error: LM_VIRT_ERROR_CONNECT. */
LmVirt *lm_virt_connect (const char *uri, const LmVirtLimits *limits, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_free: releases the caller's reference; NULL is ignored. Domains keep
 * their own; the connection is closed with the last one. */
void lm_virt_free (LmVirt *virt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmVirt, lm_virt_free)

/** lm_virt_uri: returns the URI of the connection, in the same form for every
 * connection to the same daemon. Owned by @virt. No round trip. */
const char *lm_virt_uri (const LmVirt *virt);

/** lm_virt_is_local: whether guests run on this host. No round trip. */
gboolean lm_virt_is_local (const LmVirt *virt);

/** lm_virt_uri_is_local: like lm_virt_is_local(), for a connection with the URI @uri. */
gboolean lm_virt_uri_is_local (const char *uri);

/** lm_virt_is_system: whether guests belong to the system, that is, to a daemon run
 * by root, and not to the user. No round trip. */
gboolean lm_virt_is_system (const LmVirt *virt);

/** lm_virt_capabilities: returns the capabilities of the host as XML, newly
 * allocated. May take seconds if libvirt has to probe QEMU first. Errors:
 * LM_VIRT_ERROR. */
char *lm_virt_capabilities (LmVirt *virt, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_offers_kvm: whether a guest of @arch can be started with KVM: libvirt
 * lists it and, as far as this process can tell, /dev/kvm can be opened. At most
 * one round trip; FALSE if it cannot be determined. */
gboolean lm_virt_offers_kvm (LmVirt *virt, const char *arch);
