/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A connection to libvirt. Nothing outside src/virt includes libvirt. Calls
 * block until the daemon answers, but never beyond the connection's limits.
 * libvirt cannot cancel a call: one that was given up may still have its
 * effect, as the message says, so the caller keeps what it needs to undo it
 * later. Any call fails with LM_VIRT_ERROR_TIMED_OUT when there was no answer
 * in time; when cancelled, at once with G_IO_ERROR_CANCELLED if it changes
 * nothing, else after 5 seconds with LM_VIRT_ERROR_INTERRUPTED. A call begun
 * after the cancellation belongs to undoing: only the time limits it. */
#include "virt/error.h"

#include <gio/gio.h>

typedef struct _LmVirt LmVirt;

#define LM_VIRT_SECONDS 30

/* How long calls may wait for an answer. */
typedef struct
{
  guint seconds;             /* 0: LM_VIRT_SECONDS; starts of domains have ten times as long */
  GCancellable *cancellable; /* NULL: none; a reference is kept */
} LmVirtLimits;

/** lm_virt_connect: opens @uri; NULL leaves the choice to libvirt, as virsh
 * does (LIBVIRT_DEFAULT_URI, libvirt.conf, then what is there). May ask for
 * credentials on the terminal, for which the time does not run. Also stops
 * libvirt from printing errors of its own. @limits: of this and all calls on
 * the connection, NULL: the default. Error: LM_VIRT_ERROR_CONNECT. */
LmVirt *lm_virt_connect (const char *uri, const LmVirtLimits *limits, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_free: drops the caller's reference; domains keep theirs. Closes with the last one. */
void lm_virt_free (LmVirt *virt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmVirt, lm_virt_free)

/** lm_virt_uri: what it is connected to, always the same words for one daemon. Owned by @virt. No round trip. */
const char *lm_virt_uri (const LmVirt *virt);

/** lm_virt_is_local: whether guests run on this machine. No round trip. */
gboolean lm_virt_is_local (const LmVirt *virt);

/** lm_virt_uri_is_local: the same of a connection's @uri. */
gboolean lm_virt_uri_is_local (const char *uri);

/** lm_virt_is_system: whether guests belong to the system (a daemon that root
 * runs), not to the user. No round trip. */
gboolean lm_virt_is_system (const LmVirt *virt);

/** lm_virt_capabilities: the host's capabilities as XML, newly allocated. May
 * take seconds where libvirt has to probe QEMU first. Errors: LM_VIRT_ERROR. */
char *lm_virt_capabilities (LmVirt *virt, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_virt_offers_kvm: whether a guest of @arch can be started with KVM there:
 * libvirt lists it and, as far as this process can tell, /dev/kvm opens. At
 * most one round trip; when nothing can be learned, FALSE. */
gboolean lm_virt_offers_kvm (LmVirt *virt, const char *arch);
