/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Failures of libvirt as GErrors; error.c is the only place that maps them. libvirt's own
 * message is kept whole, it names the file or the value. */
#include <glib.h>

typedef enum
{
  LM_VIRT_ERROR_CONNECT,     /* no daemon, no right to talk to it, or the connection broke */
  LM_VIRT_ERROR_EXISTS,      /* another domain has this name or uuid */
  LM_VIRT_ERROR_NOT_FOUND,   /* no such domain, or it has no metadata of this kind */
  LM_VIRT_ERROR_STATE,       /* not possible now: it runs already, is shut off, ... */
  LM_VIRT_ERROR_DENIED,      /* this user may not */
  LM_VIRT_ERROR_UNSUPPORTED, /* this host's libvirt or QEMU cannot */
  LM_VIRT_ERROR_NO_SPACE,
  LM_VIRT_ERROR_TIMED_OUT,   /* no answer in time; a change may still come about */
  LM_VIRT_ERROR_INTERRUPTED, /* the same, because the user did not want to wait */
  LM_VIRT_ERROR_FAILED,
} LmVirtError;

#define LM_VIRT_ERROR lm_virt_error_quark ()
GQuark lm_virt_error_quark (void);
