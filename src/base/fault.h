/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Named fault points: where a test makes the process die or fail.
 * LAMINA_TEST_FAULT="NAME=ACTION[,NAME=ACTION...]", ACTION one of
 *   kill    SIGKILL to itself       abort   abort()
 *   enospc  fails with NO_SPACE     eio     fails with FAILED
 *   stop    SIGSTOP to itself (a test then continues or kills it)
 * HACKING lists the names. Without the variable a fault point costs one load. */
#include <glib.h>

/** lm_fault_point: acts as the environment asks for @name; FALSE and @error
 * (G_IO_ERROR_NO_SPACE or G_IO_ERROR_FAILED) when it asks for a failure. */
gboolean lm_fault_point (const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
