/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Some functions of libguestfs that only note their calls, so that no appliance is started. */
#include <glib.h>

/** fake_reset: forgets the calls; that which begins with @failing fails from now on, with @code as errno. NULL:
 * none fails. What is below @present exists in the guest; NULL: nothing does. */
void fake_reset (const char *failing, int code, const char *present);
/** fake_get_calls: returns the calls, one a line. */
const char *fake_get_calls (void);
