/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/builder-packages.h"
#include "base/error.h"
#include "base/trace.h"
#include "base/url.h"
#include "build/packages.h"
#include "build/repository.h"
#include "cache/database.h"
#include "catalog/selection.h"
#include "ops/prepare.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Where the packages come from; NULL: from where apt on this machine has them. */
static const char *const *
list_places (const LmBuilderChoice *choice)
{
  return choice->places != NULL && *choice->places != NULL ? choice->places : (const char *const *) choice->recipe->repositories;
}

static LmPackages *
load_indexes (const LmHost *host, const LmBuilderChoice *choice, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmPackages) packages = lm_packages_new ();
  const char *const *places = list_places (choice);
  host->status (host->user_data, "reading package indexes");
  if (places == NULL && !lm_repository_load_apt (packages, cancellable, error))
    return NULL;
  for (; places != NULL && *places != NULL; places++)
    if (!lm_repository_load (packages, *places, cancellable, error))
      return NULL;
  return g_steal_pointer (&packages);
}

void
lm_builder_indexes_clear (LmBuilderIndexes *indexes)
{
  g_clear_pointer (&indexes->packages, lm_packages_free);
  g_clear_pointer (&indexes->places, g_strfreev);
}

/* Returns the packages of @indexes, which are read first if they are others than @choice needs. */
static LmPackages *
use_indexes (const LmHost *host, const LmBuilderChoice *choice, LmBuilderIndexes *indexes, GCancellable *cancellable, GError **error)
{
  const char *const *places = list_places (choice), *const *known = (const char *const *) indexes->places;
  if (indexes->packages != NULL && (places == known || (places != NULL && known != NULL && g_strv_equal (places, known))))
    return indexes->packages;
  LmPackages *packages = load_indexes (host, choice, cancellable, error);
  if (packages == NULL)
    return NULL;
  lm_builder_indexes_clear (indexes);
  indexes->packages = packages;
  indexes->places = g_strdupv ((char **) places);
  return packages;
}

static gboolean
lock_packages (LmRecipeLock *lock, LmPackages *packages, const GArray *ids, GError **error)
{
  for (guint i = 0; i < ids->len; i++)
    {
      const guint id = g_array_index (ids, guint, i);
      g_autoptr (LmBlob) blob = lm_packages_dup_blob (packages, id, error);
      if (blob == NULL)
        return FALSE;
      const LmPackage package = lm_packages_get (packages, id);
      g_autofree char *name = g_strdup (package.name), *version = g_strdup (package.version);
      lm_recipe_lock_add (lock, name, version, package.architecture, blob);
    }
  return TRUE;
}

/* A base has what the distribution calls essential, whatever else is asked for. */
static char **
add_essential (const LmPackages *packages, char *const *wanted)
{
  g_autoptr (GStrvBuilder) all = g_strv_builder_new ();
  g_auto (GStrv) essential = lm_packages_list_essential (packages);
  g_strv_builder_addv (all, (const char **) wanted);
  g_strv_builder_addv (all, (const char **) essential);
  return g_strv_builder_end (all);
}

static LmRecipeLock *
solve (const LmHost *host, const LmBuilderChoice *choice, const LmDigest *parent, GCancellable *cancellable, GError **error)
{
  const LmRecipe *recipe = choice->recipe;
  g_autoptr (LmRecipeLock) lock = lm_recipe_lock_new (&choice->recipe_digest, parent);
  if (*recipe->packages == NULL)
    return g_steal_pointer (&lock);
  g_auto (LmBuilderIndexes) own = { NULL };
  LmPackages *packages = use_indexes (host, choice, choice->indexes != NULL ? choice->indexes : &own, cancellable, error);
  if (packages == NULL
      || (choice->contents != NULL && !lm_packages_set_installed (packages, (const char *const *) choice->contents, error)))
    return NULL;
  g_auto (GStrv) wanted = choice->contents != NULL ? g_strdupv (recipe->packages) : add_essential (packages, recipe->packages);
  g_auto (LmPackagesChange) change = { NULL };
  if (!lm_packages_resolve_change (packages, (const char *const *) wanted, g_strv_length (wanted), recipe->recommended, &change, error))
    {
      g_prefix_error (error, "%s: ", recipe->path);
      return NULL;
    }
  if (!lock_packages (lock, packages, change.install, error) || !lock_packages (lock, packages, change.upgrade, error))
    return NULL;
  g_strfreev (lock->removed);
  lock->removed = g_strdupv (change.remove);
  g_autoptr (GError) failure = NULL;
  if (!lm_recipe_lock_check (lock, &failure))
    return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID, "%s: a package index is not valid: %s", recipe->path, failure->message);
  return g_steal_pointer (&lock);
}

/* The lock file has no passwords: those of the places where the packages are found now serve. */
static void
add_credentials (LmRecipeLock *lock, const LmBuilderChoice *choice)
{
  const char *const *places = list_places (choice);
  for (; places != NULL && *places != NULL; places++)
    for (guint i = 0; lm_url_check_base (*places, NULL) && i < lock->packages->len; i++)
      {
        LmLockedPackage *package = g_ptr_array_index (lock->packages, i);
        char *url = lm_url_inherit_credentials (*places, package->blob.urls[0]);
        g_free (package->blob.urls[0]);
        package->blob.urls[0] = url;
      }
}

LmRecipeLock *
lm_builder_packages_choose (const LmHost *host, const LmBuilderChoice *choice, gboolean *out_found, GCancellable *cancellable, GError **error)
{
  const LmDigest parent = lm_recipe_lock_digest_contents (choice->contents);
  g_autofree char *path = lm_recipe_lock_path (choice->recipe->path);
  g_autoptr (GPtrArray) locks = lm_recipe_lock_load (path, cancellable, error);
  if (locks == NULL)
    return NULL;
  const LmRecipeLock *known = choice->anew ? NULL : lm_recipe_lock_find (locks, &choice->recipe_digest, &parent);
  *out_found = known != NULL;
  g_autoptr (LmRecipeLock) lock = known != NULL ? lm_recipe_lock_copy (known) : solve (host, choice, &parent, cancellable, error);
  if (lock == NULL)
    return NULL;
  if (known != NULL && !lm_recipe_lock_check (lock, error))
    {
      g_prefix_error (error, "%s: ", path);
      return NULL;
    }
  add_credentials (lock, choice);
  return g_steal_pointer (&lock);
}

gboolean
lm_builder_packages_check_keep (const LmBuilderChoice *choice, GError **error)
{
  g_autofree char *path = lm_recipe_lock_path (choice->recipe->path);
  g_autofree char *dir = path != NULL ? g_path_get_dirname (path) : NULL;
  if (path == NULL || access (dir, W_OK | X_OK) == 0)
    return TRUE;
  const int code = errno;
  return lm_throw (error, G_IO_ERROR, (int) g_io_error_from_errno (code), "%s cannot be written: %s; build a copy of the recipe", path,
                   g_strerror (code));
}

gboolean
lm_builder_packages_keep (const LmBuilderChoice *choice, const LmRecipeLock *lock, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = lm_recipe_lock_path (choice->recipe->path);
  if (path == NULL)
    return TRUE;
  g_autoptr (GPtrArray) locks = lm_recipe_lock_load (path, cancellable, error);
  return locks != NULL && lm_recipe_lock_save (path, locks, lock, error);
}

/* The version of the package @name in @lock, or else among the parent's packages; NULL if it is in neither. */
static const char *
find_version (const LmBuilderChoice *choice, const LmRecipeLock *lock, const char *name)
{
  const gsize length = strlen (name);
  for (guint i = 0; i < lock->packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (lock->packages, i);
      if (strcmp (package->name, name) == 0)
        return package->version;
    }
  for (char *const *item = choice->contents; item != NULL && *item != NULL; item++)
    if (strncmp (*item, name, length) == 0 && (*item)[length] == '=')
      return *item + length + 1;
  return NULL;
}

char *
lm_builder_packages_version (const LmBuilderChoice *choice, const LmRecipeLock *lock, GError **error)
{
  const LmRecipe *recipe = choice->recipe;
  if (recipe->version != NULL)
    return g_strdup (recipe->version);
  g_autofree char *name = g_strndup (recipe->packages[0], strcspn (recipe->packages[0], "= <>"));
  const char *version = find_version (choice, lock, name);
  const char *colon = version != NULL ? strchr (version, ':') : NULL;
  if (colon != NULL)
    version = colon + 1;
  if (version == NULL || !lm_version_is_valid (version))
    return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_UNKNOWN,
                          "%s: the package %s does not give the layer a version; write \"version\" in the recipe", recipe->path, name);
  return g_strdup (version);
}

/* For those who look at the cache later, also after a build that was interrupted. No build fails because of that. */
static void
note_packages (const LmHost *host, const LmRecipeLock *lock)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) packages = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) failure = NULL;
  for (guint i = 0; i < lock->packages->len; i++)
    {
      const LmLockedPackage *locked = g_ptr_array_index (lock->packages, i);
      const LmDatabasePackage package = { locked->name, locked->version, locked->blob.digest };
      g_ptr_array_add (packages, g_memdup2 (&package, sizeof package));
    }
  if (packages->len == 0)
    return;
  g_autoptr (LmDatabase) database = lm_database_open (host->state_dir, warnings, &failure);
  if (database == NULL || !lm_database_note_packages (database, packages, g_get_real_time () / G_USEC_PER_SEC, &failure))
    lm_trace (LM_TRACE_CACHE, "the names of the packages were not noted: %s", failure->message);
  for (guint i = 0; i < warnings->len; i++)
    host->warning (host->user_data, g_ptr_array_index (warnings, i));
}

gboolean
lm_builder_packages_fetch (const LmHost *host, LmCache *cache, const LmRecipeLock *lock, LmLock **out_lease, GCancellable *cancellable,
                         GError **error)
{
  g_autoptr (GPtrArray) blobs = g_ptr_array_new ();
  LmPrepareResult result = { 0 };
  for (guint i = 0; i < lock->packages->len; i++)
    g_ptr_array_add (blobs, &((LmLockedPackage *) g_ptr_array_index (lock->packages, i))->blob);
  g_autoptr (LmLock) lease = lm_cache_lease (cache, blobs, cancellable, error);
  if (lease == NULL)
    return FALSE;
  note_packages (host, lock);
  if (!lm_prepare_recorded (host, cache, blobs, &result, cancellable, error))
    return FALSE;
  *out_lease = g_steal_pointer (&lease);
  return TRUE;
}
