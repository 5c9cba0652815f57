/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Helpers that set a GError and return in one statement. Each module has its own
 * error domain and enum; callers test domain and code and never parse a message.
 * Messages are lower case without a full stop, and say what failed, for which file
 * or layer, and what to do. */
#include <glib.h>

/* Failures of the operating system are G_IO_ERROR with the code that
 * g_io_error_from_errno() returns (NO_SPACE, PERMISSION_DENIED, ...). Exceeding a
 * quota or the limit on file sizes counts as NO_SPACE. */

/** lm_error_text_of_errno: returns the text for the errno value @code; if a limit
 * was reached, the text says which limit to raise. Static. */
const char *lm_error_text_of_errno (int code);

/** lm_throw: sets @error (which may be NULL) and returns FALSE. */
gboolean lm_throw (GError **error, GQuark domain, int code, const char *format, ...) G_GNUC_PRINTF (4, 5);

/** lm_throw_null: sets @error (which may be NULL) and returns NULL. */
gpointer lm_throw_null (GError **error, GQuark domain, int code, const char *format, ...) G_GNUC_PRINTF (4, 5);

/** lm_throw_errno: sets @error to the G_IO_ERROR for the current errno, with the
 * message "<format>: <text of errno>"; preserves errno; returns FALSE. */
gboolean lm_throw_errno (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

/** lm_throw_errno_null: the same, returning NULL. */
gpointer lm_throw_errno_null (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
