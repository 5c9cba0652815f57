/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* libsolv's pool behind an LmPackages, for the files of this module that resolve: what fulfils
 * a dependency, and which of several packages is preferred. Others use packages.h. */
#include "build/package-text.h"
#include "build/packages.h"
#include <solv/pool.h>
#include <solv/queue.h>
#include <solv/repo.h>

struct _LmPackages
{
  Pool *pool;
  gboolean is_debian;
  gboolean prepared; /* the index of what provides what is there */
  GArray *extras;    /* LmPackageExtra, by number of the package; only for Debian */
  GPtrArray *bases;  /* char *, the base URLs of indexes, to which appdata of a Repo points */
  GStrv foreign;     /* what the parent holds for other architectures, "NAME:ARCH=VERSION" */
};

/** lm_package_pool_prepare: makes the index of what provides what, which the functions below need. */
void lm_package_pool_prepare (LmPackages *packages);

/** lm_package_pool_extra: what the index of Debian says besides of the package @id. */
LmPackageExtra lm_package_pool_extra (const LmPackages *packages, Id id);

/** lm_package_pool_is_installed: whether @id stands for a package of the parent. */
gboolean lm_package_pool_is_installed (const LmPackages *packages, Id id);

/** lm_package_pool_deps: returns the dependencies at @offset of @s, with a 0 at the end. */
const Id *lm_package_pool_deps (Solvable *s, Offset offset);

/** lm_package_pool_name: returns the name in @dep, the first of alternatives. */
Id lm_package_pool_name (Pool *pool, Id dep);

/** lm_package_pool_compare: which of two packages that provide @name is preferred: > 0 if @a.
 * Packages of that name come first, the newest of them first of all; others by priority,
 * name and version. */
int lm_package_pool_compare (const LmPackages *packages, Id name, Id a, Id b);

/** lm_package_pool_prefer: returns the preferred package of the indexes that fulfils @dep; 0
 * if none does. */
Id lm_package_pool_prefer (const LmPackages *packages, Id dep);

/** lm_package_pool_parse: returns "NAME", or "NAME OP VERSION" with one of < <= = >= > and
 * optional spaces around it, as a dependency. Errors: LM_PACKAGES_ERROR_UNKNOWN if no package fulfils it (0). */
Id lm_package_pool_parse (LmPackages *packages, const char *wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;
