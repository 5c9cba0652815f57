/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Waiting for a text on a guest's console, by the log that libvirt writes. The
 * log may be made, truncated or rotated (PATH.0, PATH.1, ...) meanwhile; all
 * parts are read, oldest first, none twice. The text is of no account once the
 * guest has shut down or booted anew, as far as the console tells: a Linux
 * kernel says "reboot: ..." or, without a goodbye, panics or comes with its
 * first line. A reset of a guest that says nothing of it is not noticed. */
#include <gio/gio.h>

typedef enum
{
  LM_CONSOLE_ERROR_TIMED_OUT, /* the text did not come in time */
  LM_CONSOLE_ERROR_GONE,      /* the domain stopped before the text came */
} LmConsoleError;

#define LM_CONSOLE_ERROR lm_console_error_quark ()
GQuark lm_console_error_quark (void);

/* How far the log was read, and what that said. All zero: nothing yet. */
typedef struct
{
  guint64 inode; /* of the file, under whatever name; 0: the oldest there is */
  guint64 offset;
  gboolean ready; /* the guest is up, by the text */
} LmConsolePosition;

/* Asked about once a second: does the domain still run? */
typedef gboolean (*LmConsoleAliveFunc) (gpointer user_data);

/** lm_console_wait: waits until @text stands in the log @path. @position: where
 * to go on, of the same run of the domain; on success where the log was read to.
 * What stands in the log already counts if the guest did not go down after it;
 * what comes while waiting always counts. If the file of @position is gone, it
 * was rotated out when there are other rotated files, else the log began anew.
 * @seconds: 0 waits for ever. @alive may be NULL. The message of an error quotes
 * the last line logged. Blocks; @cancellable ends it. Errors: LM_CONSOLE_ERROR,
 * G_IO_ERROR (PERMISSION_DENIED: the log belongs to another). */
gboolean lm_console_wait (const char *path, const char *text, LmConsolePosition *position, guint seconds,
                          LmConsoleAliveFunc alive, gpointer user_data, GCancellable *cancellable,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
