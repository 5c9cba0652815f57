/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Whether the ports that a machine publishes are available on this host. QEMU binds
 * them when it starts, after everything else has been created, and its error
 * message says little, so lamina checks first. A port may still be taken in
 * between. */
#include "machine/machine.h"
#include "virt/connect.h"

typedef enum
{
  LM_PORT_ERROR_BUSY,    /* the port is in use */
  LM_PORT_ERROR_ADDRESS, /* not an address of this host, or the user may not use the port */
} LmPortError;

#define LM_PORT_ERROR lm_port_error_quark ()
GQuark lm_port_error_quark (void);

/** lm_port_check: whether QEMU could now listen on each of @publish
 * (LmDomainPublish). @replaced is the machine being replaced, or NULL; its own
 * ports are not conflicts if @replaced_is_active. With the system's libvirt QEMU runs as
 * another user, so ports that need privileges are refused. Does not listen itself.
 * For the message, looks in @state_dir for the machine on @virt, a connection to
 * this host, that publishes a busy port. Errors: LM_PORT_ERROR. */
gboolean lm_port_check (LmVirt *virt, const char *state_dir, const GPtrArray *publish, const LmMachine *replaced,
                        gboolean replaced_is_active, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_port_check_rights: the part of lm_port_check() that depends on neither the moment
 * nor the addresses of this host: whether QEMU's user may listen on each of @publish. */
gboolean lm_port_check_rights (LmVirt *virt, const GPtrArray *publish, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_port_has_address: whether this host has the address of @publish now. */
gboolean lm_port_has_address (const LmDomainPublish *publish);
