/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Waiting for a text on a guest's console, by the log that libvirt writes. */
#include <gio/gio.h>

typedef enum
{
  LM_CONSOLE_ERROR_TIMED_OUT, /* the text did not come in time */
  LM_CONSOLE_ERROR_GONE,      /* the domain stopped before the text came */
} LmConsoleError;

#define LM_CONSOLE_ERROR lm_console_error_quark ()
GQuark lm_console_error_quark (void);

/* Asked about once a second: does the domain still run? */
typedef gboolean (*LmConsoleAliveFunc) (gpointer user_data);

/** lm_console_wait: waits until @text stands in the log @path, which may be
 * made, cut or rotated meanwhile. @seconds: 0 waits for ever. @alive may be NULL. The message of an error quotes the
 * last line logged. Blocks; @cancellable ends it. Errors: LM_CONSOLE_ERROR,
 * G_IO_ERROR (PERMISSION_DENIED: the log belongs to another). */
gboolean lm_console_wait (const char *path, const char *text, guint seconds, LmConsoleAliveFunc alive,
                          gpointer user_data, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
