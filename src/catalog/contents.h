/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The packages that a layer contains together with those below it, from what the builds
 * record. Pure. Lists of packages are those of catalog/installed.h; a package may be there
 * in several versions, as kernels are. */
#include "catalog/catalog-set.h"

/** lm_contents_of_chain: returns the packages at the top of the chain of @builds (LmBuild, base
 * first), sorted (lm_installed_compare()) and each once; newly allocated. Each build takes away
 * what it removes, and of what it adds all other versions. NULL if one of them does not record
 * its packages, or if there is none. */
char **lm_contents_of_chain (const GPtrArray *builds);

/** lm_contents_of_build: returns the same for the build with @digest and those below it, as the
 * catalogs of @set list them; of each, the first in the order of the set that records its packages
 * counts. NULL if these are not known for all of them. */
char **lm_contents_of_build (const LmCatalogSet *set, const LmDigest *digest);

/** lm_contents_compare: finds what a build must record whose parent contains the packages @parent,
 * so that it contains @child: *out_packages is what it adds, *out_removed the names of what
 * it removes; both sorted and newly allocated. A package of which one version is new is added with
 * all its versions. The lists need not be sorted. */
void lm_contents_compare (char *const *parent, char *const *child, char ***out_packages, char ***out_removed);
