/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Throwing GErrors in one line. Each module has its own error domain and enum;
 * a caller may test domain and code, nobody parses a message. Messages say
 * what, which file or layer, and what to do: lower case, no full stop. */
#include <glib.h>

/* Failures of the operating system are G_IO_ERROR with the code that
 * g_io_error_from_errno() gives (NO_SPACE, PERMISSION_DENIED, ...); a quota and
 * a limit on file sizes are NO_SPACE too. */

/** lm_error_text_of_errno: its text; for a limit that was reached, with the name
 * of the limit. Static. */
const char *lm_error_text_of_errno (int code);

/** lm_throw: sets @error (which may be NULL) and returns FALSE. */
gboolean lm_throw (GError **error, GQuark domain, int code, const char *format, ...) G_GNUC_PRINTF (4, 5);

/** lm_throw_null: sets @error (which may be NULL) and returns NULL. */
gpointer lm_throw_null (GError **error, GQuark domain, int code, const char *format, ...) G_GNUC_PRINTF (4, 5);

/** lm_throw_errno: sets @error to G_IO_ERROR of the current errno, the message
 * being "format: strerror"; keeps errno; returns FALSE. */
gboolean lm_throw_errno (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

/** lm_throw_errno_null: the same, returning NULL. */
gpointer lm_throw_errno_null (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
