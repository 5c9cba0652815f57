/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The packages of a layer that is built: which ones, by the lock file of the recipe or else by
 * solving against what the parent holds, and their files in the cache. For builder.c only. */
#include "build/packages.h"
#include "build/recipe-lock.h"
#include "build/recipe.h"
#include "ops/host.h"

/* Package indexes that were read, for the next choice that needs the same. */
typedef struct
{
  LmPackages *packages; /* NULL if none were read */
  char **places;        /* NULL: those of apt */
} LmBuilderIndexes;

void lm_builder_indexes_clear (LmBuilderIndexes *indexes);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LmBuilderIndexes, lm_builder_indexes_clear)

typedef struct
{
  const LmRecipe *recipe;
  LmDigest recipe_digest;      /* lm_payload_digest() */
  char *const *contents;       /* of the parent, "NAME=VERSION", sorted; NULL for a base */
  const char *const *places;   /* package indexes; empty for those of the recipe, or else of apt */
  gboolean anew;               /* the lock file is not used */
  LmBuilderIndexes *indexes;   /* used if they are the right ones, else replaced; may be NULL */
} LmBuilderChoice;

/** lm_builder_packages_choose: returns the locked recipe. *out_found is whether it is from the lock
 * file. Loads package indexes only if it is not. Blocks. Errors: LM_RECIPE_LOCK_ERROR,
 * LM_PACKAGES_ERROR, those of lm_repository_load(), G_IO_ERROR. */
LmRecipeLock *lm_builder_packages_choose (const LmHost *host, const LmBuilderChoice *choice, gboolean *out_found,
                                        GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_builder_packages_check_keep: fails if the following would, because of the directory. Errors: G_IO_ERROR. */
gboolean lm_builder_packages_check_keep (const LmBuilderChoice *choice, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_builder_packages_keep: writes @lock to the lock file of the recipe, if there can be one. Errors: those of lm_recipe_lock_load(), G_IO_ERROR. */
gboolean lm_builder_packages_keep (const LmBuilderChoice *choice, const LmRecipeLock *lock, GCancellable *cancellable,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_builder_packages_version: returns the version of the layer: that of the recipe, or else of its first package
 * without the epoch; newly allocated. Errors: LM_PACKAGES_ERROR_UNKNOWN if neither says it. */
char *lm_builder_packages_version (const LmBuilderChoice *choice, const LmRecipeLock *lock, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_builder_packages_fetch: fetches the files of @lock that are not in @cache. *out_lease keeps
 * them there until it is released. Blocks. Errors: those of lm_prepare_recorded(), LM_LOCK_ERROR. */
gboolean lm_builder_packages_fetch (const LmHost *host, LmCache *cache, const LmRecipeLock *lock, LmLock **out_lease,
                                  GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
