/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The order of versions: Debian's (deb-version(7)), as libsolv has it. */
#include <glib.h>

/** lm_version_compare: below, at or above 0, as strcmp(). */
int lm_version_compare (const char *a, const char *b);

/** lm_version_is_prerelease: whether @version says of itself that it comes before a
 * release: by "~" (deb-version(7)); by alpha, beta, rc, pre, preview or dev after
 * a digit ("2.0rc1", "2.0-beta.2", "2.0.dev3"); or by a hyphen and a letter after
 * three numbers (semver.org, 9: "2.0.0-x.7"), but for Alpine's revisions ("1.2.3-r4").
 * The order of versions does not depend on it. */
gboolean lm_version_is_prerelease (const char *version);

/** lm_version_compare_preference: as lm_version_compare(), but pre-releases are
 * below all others: the order in which versions are preferred. */
int lm_version_compare_preference (const char *a, const char *b);
