/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Failures of libvirt as GErrors; only error.c maps them. libvirt's own message is
 * kept completely, because it names the file or value concerned. */
#include <glib.h>

typedef enum
{
  LM_VIRT_ERROR_CONNECT,     /* no daemon, no permission to connect, or the connection was lost */
  LM_VIRT_ERROR_EXISTS,      /* another domain has this name or uuid */
  LM_VIRT_ERROR_NOT_FOUND,   /* no such domain, or it has no metadata of this kind */
  LM_VIRT_ERROR_STATE,       /* not possible in the current state: running already, shut off, ... */
  LM_VIRT_ERROR_DENIED,      /* this user is not allowed to do it */
  LM_VIRT_ERROR_UNSUPPORTED, /* not supported by the libvirt or QEMU of this host */
  LM_VIRT_ERROR_NO_SPACE,
  LM_VIRT_ERROR_TIMED_OUT,   /* no answer in time; a change may still take effect */
  LM_VIRT_ERROR_INTERRUPTED, /* likewise, because the user cancelled the wait */
  LM_VIRT_ERROR_FAILED,
} LmVirtError;

#define LM_VIRT_ERROR lm_virt_error_quark ()
GQuark lm_virt_error_quark (void);
