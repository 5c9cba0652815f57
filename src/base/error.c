/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"

#include <errno.h>
#include <gio/gio.h>

static void G_GNUC_PRINTF (4, 0)
throw_va (GError **error, GQuark domain, int code, const char *format, va_list args)
{
  GError *e = g_error_new_valist (domain, code, format, args);
  g_propagate_error (error, e);
}

static int
code_of_errno (int code)
{
  return code == EDQUOT || code == EFBIG ? G_IO_ERROR_NO_SPACE : (int) g_io_error_from_errno (code);
}

const char *
lm_error_text_of_errno (int code)
{
  const char *limit = code == EMFILE   ? "ulimit -n"
                      : code == ENFILE ? "sysctl fs.file-max"
                      : code == EFBIG  ? "ulimit -f"
                                       : NULL;
  if (limit == NULL)
    return g_strerror (code);
  g_autofree char *text = g_strdup_printf ("%s (raise the limit: %s)", g_strerror (code), limit);
  return g_intern_string (text);
}

static void G_GNUC_PRINTF (2, 0)
throw_errno_va (GError **error, const char *format, va_list args)
{
  int saved = errno;
  g_autofree char *what = g_strdup_vprintf (format, args);
  g_set_error (error, G_IO_ERROR, code_of_errno (saved), "%s: %s", what, lm_error_text_of_errno (saved));
  errno = saved;
}

gboolean
lm_throw (GError **error, GQuark domain, int code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  throw_va (error, domain, code, format, args);
  va_end (args);
  return FALSE;
}

gpointer
lm_throw_null (GError **error, GQuark domain, int code, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  throw_va (error, domain, code, format, args);
  va_end (args);
  return NULL;
}

gboolean
lm_throw_errno (GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  throw_errno_va (error, format, args);
  va_end (args);
  return FALSE;
}

gpointer
lm_throw_errno_null (GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  throw_errno_va (error, format, args);
  va_end (args);
  return NULL;
}
