/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A connection to libvirt. Nothing outside src/virt includes libvirt. All
 * calls block until the daemon answers; libvirt has no way to cancel one. */
#include "virt/error.h"

typedef struct _LmVirt LmVirt;

/** lm_virt_connect: opens @uri; NULL leaves the choice to libvirt, as virsh
 * does (LIBVIRT_DEFAULT_URI, libvirt.conf, then what is there). May ask for
 * credentials on the terminal. Also stops libvirt from printing errors of its
 * own. Error: LM_VIRT_ERROR_CONNECT. */
LmVirt *lm_virt_connect (const char *uri, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void lm_virt_free (LmVirt *virt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmVirt, lm_virt_free)

/** lm_virt_uri: what it is connected to, always the same words for one daemon. Owned by @virt. No round trip. */
const char *lm_virt_uri (const LmVirt *virt);

/** lm_virt_is_local: whether guests run on this machine. No round trip. */
gboolean lm_virt_is_local (const LmVirt *virt);

/** lm_virt_is_system: whether guests belong to the system (a daemon that root
 * runs), not to the user. No round trip. */
gboolean lm_virt_is_system (const LmVirt *virt);

/** lm_virt_offers_kvm: whether a guest of @arch can be started with KVM there:
 * libvirt lists it and, as far as this process can tell, /dev/kvm opens. At
 * most one round trip; when nothing can be learned, FALSE. */
gboolean lm_virt_offers_kvm (const LmVirt *virt, const char *arch);
