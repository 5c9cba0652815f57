/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Whether the ports that a machine publishes are to be had on this host. QEMU
 * takes them when it starts, after everything else was made, and says so little
 * that lamina looks first. Somebody may still take one in between. */
#include "machine/machine.h"
#include "virt/connect.h"

typedef enum
{
  LM_PORT_ERROR_BUSY,    /* something listens there */
  LM_PORT_ERROR_ADDRESS, /* not an address of this host, or a port that is not for this user */
} LmPortError;

#define LM_PORT_ERROR lm_port_error_quark ()
GQuark lm_port_error_quark (void);

/** lm_port_check: whether QEMU could listen now on each of @publish
 * (LmDomainPublish). @replaced: the machine being replaced, or NULL; its own ports
 * are not conflicts if @replaced_is_active. With the system's libvirt QEMU is another user:
 * ports that need privileges are refused. Does not listen itself. The machine of
 * @virt that publishes a busy port already is looked up in @state_dir, for the
 * message; @virt is of this host. Errors: LM_PORT_ERROR. */
gboolean lm_port_check (LmVirt *virt, const char *state_dir, const GPtrArray *publish, const LmMachine *replaced,
                        gboolean replaced_is_active, GError **error) G_GNUC_WARN_UNUSED_RESULT;
