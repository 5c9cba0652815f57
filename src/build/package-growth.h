/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Chooses packages of Debian by the preferences of its policy, as apt does. */
#include "build/package-pool.h"

/** lm_package_growth_run: returns the packages that there are after @jobs, pairs of an action
 * and a dependency for libsolv's solver, have been met, as numbers in ascending order; those of
 * the parent that stay among them. NULL if preferences alone lead to a conflict, which says
 * nothing about other choices. A package of the parent is replaced by the newest version only
 * if something needs that or conflicts with it, by an older one only if a job asks for exactly
 * that, and removed only if one that is chosen conflicts with it, it is not essential and
 * nothing that stays needs it. */
GArray *lm_package_growth_run (LmPackages *packages, const Queue *jobs, gboolean recommended);
