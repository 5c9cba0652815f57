/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Named fault points, at which a test can make the process die or fail. Set
 * LAMINA_TEST_FAULT="NAME=ACTION[,NAME=ACTION...]", where ACTION is one of
 *   kill    SIGKILL to itself       abort   abort()
 *   enospc  fail with NO_SPACE      eio     fail with FAILED
 *   stop    SIGSTOP to itself (the test then continues or kills it)
 * HACKING says how to list the names. If the variable is unset, a fault point costs
 * one call of secure_getenv(). */
#include <glib.h>

/** lm_fault_point: performs the action that the environment requests for @name, if
 * any. Returns FALSE with G_IO_ERROR_NO_SPACE or G_IO_ERROR_FAILED if it is a
 * failure. */
gboolean lm_fault_point (const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
