/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Waits for a text on a guest's console by reading the log that libvirt writes. In
 * the meantime the log may be created, truncated or rotated (PATH.0, PATH.1, ...);
 * all its files are read, oldest first, none twice. The text no longer counts after
 * the guest has shut down or booted again, as far as the console shows it: a Linux
 * kernel prints "reboot: ...", panics, or prints its first line. A reset that the
 * guest does not report is not noticed. */
#include <gio/gio.h>

typedef enum
{
  LM_CONSOLE_ERROR_TIMED_OUT, /* the text did not appear in time */
  LM_CONSOLE_ERROR_GONE,      /* the domain stopped before the text appeared */
} LmConsoleError;

#define LM_CONSOLE_ERROR lm_console_error_quark ()
GQuark lm_console_error_quark (void);

/* How far the log has been read, and the result so far. All zero if nothing has been read. */
typedef struct
{
  guint64 inode; /* of the file, whatever its name is; 0 for the oldest file */
  guint64 offset;
  gboolean ready; /* the guest is up according to the text */
} LmConsolePosition;

/* Called about once a second: whether the domain is still running. */
typedef gboolean (*LmConsoleAliveFunc) (gpointer user_data);

/** lm_console_wait: waits until @text appears in the log @path. @position is where
 * to continue, in the same run of the domain; on success it is set to where the log
 * was read to. A text that is already in the log counts unless the guest went down
 * after it; a text that appears while waiting always counts. If the file of
 * @position no longer exists, it was rotated out if there are other rotated files,
 * otherwise the log was started again. @seconds is the time limit; 0 for none.
 * @alive may be NULL. Error messages quote the last line of the log. Blocks;
 * @cancellable ends the wait. Errors: LM_CONSOLE_ERROR, G_IO_ERROR
 * (PERMISSION_DENIED if the log belongs to another user). */
gboolean lm_console_wait (const char *path, const char *text, LmConsolePosition *position, guint seconds,
                          LmConsoleAliveFunc alive, gpointer user_data, GCancellable *cancellable,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
