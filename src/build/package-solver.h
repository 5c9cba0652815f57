/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Resolves by libsolv's solver, which finds a solution if there is one, and the reasons if
 * there is none. */
#include "build/package-pool.h"

/** lm_package_solver_run: returns the packages that there are after @jobs have been met, as
 * lm_package_growth_run() does and under the same conditions, except that libsolv prefers. The
 * @n @wanted are for messages. Errors: LM_PACKAGES_ERROR_CONFLICT. */
GArray *lm_package_solver_run (LmPackages *packages, const Queue *jobs, gboolean recommended, const char *const *wanted, guint n,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
