/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A locked recipe: a recipe together with the exact packages that it stands for on one parent.
 * A recipe has as many of them as parents with different packages; they are kept in a file
 * beside it, so that the same layer can be built again later. lamina-recipe(5) describes the file. */
#include "base/blob.h"
#include <gio/gio.h>

typedef enum
{
  LM_RECIPE_LOCK_ERROR_INVALID, /* not such a file, or a package with an impossible name */
} LmRecipeLockError;

#define LM_RECIPE_LOCK_ERROR lm_recipe_lock_error_quark ()
GQuark lm_recipe_lock_error_quark (void);

typedef struct
{
  char *name, *version, *architecture;
  LmBlob blob; /* the package's file */
} LmLockedPackage;

typedef struct
{
  LmDigest recipe; /* lm_payload_digest() */
  LmDigest parent_contents; /* of what packages the parent has, lm_recipe_lock_digest_contents() */
  GPtrArray *packages; /* LmLockedPackage: to be installed, by name */
  char **removed;      /* names of packages of the parent to be removed */
} LmRecipeLock;

/** lm_recipe_lock_new: returns a lock without packages; never NULL. */
LmRecipeLock *lm_recipe_lock_new (const LmDigest *recipe, const LmDigest *parent_contents);
/** lm_recipe_lock_free: frees @lock; NULL is ignored. */
void lm_recipe_lock_free (LmRecipeLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmRecipeLock, lm_recipe_lock_free)

/** lm_recipe_lock_copy: returns a copy of @lock. */
LmRecipeLock *lm_recipe_lock_copy (const LmRecipeLock *lock);

/** lm_recipe_lock_add: adds the package with the file @blob, which is copied. */
void lm_recipe_lock_add (LmRecipeLock *lock, const char *name, const char *version, const char *architecture, const LmBlob *blob);

/** lm_recipe_lock_check: whether the names in @lock, which come from package indexes, guests or a file,
 * are such as dpkg and rpm allow, so that they can be words of a command and parts of a file name.
 * Error: LM_RECIPE_LOCK_ERROR_INVALID. */
gboolean lm_recipe_lock_check (const LmRecipeLock *lock, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_recipe_lock_digest_contents: returns the digest that stands for a parent with the packages
 * @contents ("NAME=VERSION", sorted); NULL for no parent. */
LmDigest lm_recipe_lock_digest_contents (char *const *contents);

/** lm_recipe_lock_get_identity: returns the identity of what @lock makes on @parent (NULL for
 * a base): the same recipe, the same packages and the same parent. */
LmDigest lm_recipe_lock_get_identity (const LmRecipeLock *lock, const LmDigest *parent);

/** lm_recipe_lock_path: returns the path of the file that belongs to the recipe @path; newly allocated. NULL if there
 * cannot be one, because the recipe is a pipe or was given as a descriptor (/dev/stdin). */
char *lm_recipe_lock_path (const char *path);

/** lm_recipe_lock_load: returns the LmRecipeLocks in the file @path; none if it does not exist, or @path is NULL.
 * Errors: LM_RECIPE_LOCK_ERROR_INVALID, G_IO_ERROR. */
GPtrArray *lm_recipe_lock_load (const char *path, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_recipe_lock_find: returns that of @locks which belongs to the recipe and the parent's packages; NULL if there is none. */
LmRecipeLock *lm_recipe_lock_find (const GPtrArray *locks, const LmDigest *recipe, const LmDigest *parent_contents);

/** lm_recipe_lock_save: writes @lock to the file @path of the locks @locks, in the place of one of the same
 * recipe and parent's packages; those of other recipes, which nothing belongs to any more, are dropped. Errors: G_IO_ERROR. */
gboolean lm_recipe_lock_save (const char *path, const GPtrArray *locks, const LmRecipeLock *lock, GError **error) G_GNUC_WARN_UNUSED_RESULT;
