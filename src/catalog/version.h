/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The order of versions: Debian's (deb-version(7)), as libsolv has it. */
#include <glib.h>

/** lm_version_compare: below, at or above 0, as strcmp(). */
int lm_version_compare (const char *a, const char *b);
