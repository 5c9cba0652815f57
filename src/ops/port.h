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

/** lm_port_check: whether each of @publish (LmDomainPublish) could be listened
 * on now. @other (NULL: none) is the machine that goes before the new one comes:
 * what clashes with a port it holds (if it @runs) is passed over, though
 * somebody else may hold another part of it. So are, with the system's libvirt,
 * ports that this process may not use: QEMU is another user. Does not listen
 * itself. A machine of @virt that may be to blame is looked for in @state_dir;
 * @virt is of this host. Errors: LM_PORT_ERROR. */
gboolean lm_port_check (LmVirt *virt, const char *state_dir, const GPtrArray *publish, const LmMachine *other,
                        gboolean runs, GError **error) G_GNUC_WARN_UNUSED_RESULT;
