/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/call.h"

#include <errno.h>
#include <libvirt/virterror.h>

G_DEFINE_QUARK (lm-virt-error-quark, lm_virt_error)

static LmVirtError
code_of_system_error (const virError *last)
{
  if (last->int1 == ENOSPC || last->int1 == EDQUOT)
    return LM_VIRT_ERROR_NO_SPACE;
  return last->domain == VIR_FROM_RPC ? LM_VIRT_ERROR_CONNECT : LM_VIRT_ERROR_FAILED;
}

static LmVirtError
code_of_error (const virError *last)
{
  static const struct
  {
    int number; /* virErrorNumber */
    LmVirtError code;
  } codes[] = {
    { VIR_ERR_NO_CONNECT, LM_VIRT_ERROR_CONNECT },
    { VIR_ERR_INVALID_CONN, LM_VIRT_ERROR_CONNECT },
    { VIR_ERR_RPC, LM_VIRT_ERROR_CONNECT },
    { VIR_ERR_NO_SERVER, LM_VIRT_ERROR_CONNECT },
    { VIR_ERR_AUTH_FAILED, LM_VIRT_ERROR_CONNECT },
    { VIR_ERR_AUTH_CANCELLED, LM_VIRT_ERROR_CONNECT },
    { VIR_ERR_AUTH_UNAVAILABLE, LM_VIRT_ERROR_CONNECT },
    { VIR_ERR_DOM_EXIST, LM_VIRT_ERROR_EXISTS },
    { VIR_ERR_NO_DOMAIN, LM_VIRT_ERROR_NOT_FOUND },
    { VIR_ERR_NO_DOMAIN_METADATA, LM_VIRT_ERROR_NOT_FOUND },
    { VIR_ERR_OPERATION_INVALID, LM_VIRT_ERROR_STATE },
    { VIR_ERR_OPERATION_DENIED, LM_VIRT_ERROR_DENIED },
    { VIR_ERR_ACCESS_DENIED, LM_VIRT_ERROR_DENIED },
    { VIR_ERR_NO_SUPPORT, LM_VIRT_ERROR_UNSUPPORTED },
    { VIR_ERR_CONFIG_UNSUPPORTED, LM_VIRT_ERROR_UNSUPPORTED },
    { VIR_ERR_OPERATION_UNSUPPORTED, LM_VIRT_ERROR_UNSUPPORTED },
    { VIR_ERR_ARGUMENT_UNSUPPORTED, LM_VIRT_ERROR_UNSUPPORTED },
    { VIR_ERR_OPERATION_TIMEOUT, LM_VIRT_ERROR_TIMED_OUT },
  };
  if (last->code == VIR_ERR_SYSTEM_ERROR)
    return code_of_system_error (last);
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (last->code == codes[i].number)
      return codes[i].code;
  return LM_VIRT_ERROR_FAILED;
}

/* If @code is negative, it is derived from the error. Messages of several lines
 * (QEMU's own output) are kept. */
static void G_GNUC_PRINTF (4, 0)
throw_failure (GError **error, const virError *failure, int code, const char *format, va_list args)
{
  gboolean known = failure != NULL && failure->code != VIR_ERR_OK;
  const char *why = known && failure->message != NULL ? failure->message : "libvirt gave no reason";
  g_autofree char *what = g_strdup_vprintf (format, args);
  g_autofree char *reason = g_strchomp (g_strdup (why));
  if (code < 0)
    code = known ? (int) code_of_error (failure) : (int) LM_VIRT_ERROR_FAILED;
  g_set_error (error, LM_VIRT_ERROR, code, "%s: %s", what, reason);
}

gboolean
lm_virt_call_throw (const LmVirtCall *call, GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  throw_failure (error, call->error, -1, format, args);
  va_end (args);
  return FALSE;
}

gboolean
lm_virt_call_throw_code (const LmVirtCall *call, GError **error, LmVirtError code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  throw_failure (error, call->error, (int) code, format, args);
  va_end (args);
  return FALSE;
}
