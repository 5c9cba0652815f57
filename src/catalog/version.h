/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The order of versions: that of Debian (deb-version(7)), as implemented by libsolv. */
#include <glib.h>

/** lm_version_compare: compares two versions; negative, 0 or positive, as strcmp(). */
int lm_version_compare (const char *a, const char *b);

/** lm_version_is_prerelease: whether @version marks itself as earlier than a
 * release: by "~" (deb-version(7)); by alpha, beta, rc, pre, preview or dev after a
 * digit ("2.0rc1", "2.0-beta.2", "2.0.dev3"); or by a hyphen and a letter after
 * three numbers (semver.org, 9: "2.0.0-x.7"), except for Alpine's revisions
 * ("1.2.3-r4"). The order of versions does not depend on this. */
gboolean lm_version_is_prerelease (const char *version);

/** lm_version_compare_preference: like lm_version_compare(), but sorts pre-releases
 * below all other versions: the order in which versions are preferred. */
int lm_version_compare_preference (const char *a, const char *b);
