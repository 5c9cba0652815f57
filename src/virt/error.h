/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Failures of libvirt as GErrors: the only place that maps them. libvirt's own
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
  LM_VIRT_ERROR_TIMED_OUT,
  LM_VIRT_ERROR_FAILED,
} LmVirtError;

#define LM_VIRT_ERROR lm_virt_error_quark ()
GQuark lm_virt_error_quark (void);

/** lm_virt_throw: sets @error to libvirt's last error in this thread, its
 * message after "format: "; returns FALSE. Only for src/virt. */
gboolean lm_virt_throw (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

/** lm_virt_throw_code: the same with the code given. */
gboolean lm_virt_throw_code (GError **error, LmVirtError code, const char *format, ...) G_GNUC_PRINTF (3, 4);
