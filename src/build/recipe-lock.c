/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/recipe-lock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hasher.h"
#include "base/json-value.h"
#include "base/json.h"
#include "base/size.h"
#include "base/text.h"
#include "catalog/installed.h"

#include <string.h>
#include <sys/stat.h>

#define FORMAT_VERSION 1
#define FILE_SIZE_MAX (64 * LM_SIZE_MIB)
#define SUFFIX ".lock.json"

G_DEFINE_QUARK (lm-recipe-lock-error-quark, lm_recipe_lock_error)

static void
package_free (gpointer data)
{
  LmLockedPackage *package = data;
  g_free (package->name);
  g_free (package->version);
  g_free (package->architecture);
  lm_blob_clear (&package->blob);
  g_free (package);
}

LmRecipeLock *
lm_recipe_lock_new (const LmDigest *recipe, const LmDigest *parent_contents)
{
  LmRecipeLock *lock = g_new0 (LmRecipeLock, 1);
  lock->recipe = *recipe;
  lock->parent_contents = *parent_contents;
  lock->packages = g_ptr_array_new_with_free_func (package_free);
  lock->removed = g_new0 (char *, 1);
  return lock;
}

void
lm_recipe_lock_free (LmRecipeLock *lock)
{
  if (lock == NULL)
    return;
  g_ptr_array_unref (lock->packages);
  g_strfreev (lock->removed);
  g_free (lock);
}

static int
compare_packages (const LmLockedPackage *one, const LmLockedPackage *other)
{
  const int order = strcmp (one->name, other->name);
  return order != 0 ? order : strcmp (one->architecture, other->architecture);
}

void
lm_recipe_lock_add (LmRecipeLock *lock, const char *name, const char *version, const char *architecture, const LmBlob *blob)
{
  LmLockedPackage *package = g_new0 (LmLockedPackage, 1);
  package->name = g_strdup (name);
  package->version = g_strdup (version);
  package->architecture = g_strdup (architecture);
  lm_blob_copy (&package->blob, blob);
  guint first = 0, end = lock->packages->len;
  while (first < end)
    {
      const guint middle = first + (end - first) / 2;
      if (compare_packages (package, g_ptr_array_index (lock->packages, middle)) < 0)
        end = middle;
      else
        first = middle + 1;
    }
  g_ptr_array_insert (lock->packages, (int) first, package);
}

LmRecipeLock *
lm_recipe_lock_copy (const LmRecipeLock *lock)
{
  LmRecipeLock *copy = lm_recipe_lock_new (&lock->recipe, &lock->parent_contents);
  for (guint i = 0; i < lock->packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (lock->packages, i);
      lm_recipe_lock_add (copy, package->name, package->version, package->architecture, &package->blob);
    }
  g_strfreev (copy->removed);
  copy->removed = g_strdupv (lock->removed);
  return copy;
}

static gboolean
throw_name (const char *name, GError **error)
{
  g_autofree char *safe = lm_text_escape (name, 100);
  return lm_throw (error, LM_RECIPE_LOCK_ERROR, LM_RECIPE_LOCK_ERROR_INVALID, "no package can be called \"%s\"", safe);
}

gboolean
lm_recipe_lock_check (const LmRecipeLock *lock, GError **error)
{
  for (guint i = 0; i < lock->packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (lock->packages, i);
      g_autofree char *text = g_strdup_printf ("%s:%s=%s", package->name, package->architecture, package->version);
      if (strchr (package->name, ':') != NULL || !lm_installed_is_valid (text))
        return throw_name (text, error);
      if (i > 0 && compare_packages (package, g_ptr_array_index (lock->packages, i - 1)) == 0)
        return lm_throw (error, LM_RECIPE_LOCK_ERROR, LM_RECIPE_LOCK_ERROR_INVALID, "the package %s:%s is there twice", package->name,
                         package->architecture);
    }
  for (char **name = lock->removed; *name != NULL; name++)
    if (!lm_installed_name_is_valid (*name))
      return throw_name (*name, error);
  return TRUE;
}

LmDigest
lm_recipe_lock_digest_contents (char *const *contents)
{
  g_autofree char *text = contents != NULL ? g_strjoinv ("\n", (char **) contents) : g_strdup ("");
  return lm_digest_of_text (text);
}

LmDigest
lm_recipe_lock_get_identity (const LmRecipeLock *lock, const LmDigest *parent)
{
  g_autoptr (GString) text = g_string_new ("lamina build\n");
  char digest[LM_DIGEST_STRING_SIZE];
  g_string_append_printf (text, "recipe %s\n", lm_digest_format (&lock->recipe, digest));
  g_string_append_printf (text, "parent %s\n", parent != NULL ? lm_digest_format (parent, digest) : "");
  for (guint i = 0; i < lock->packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (lock->packages, i);
      g_string_append_printf (text, "package %s\n", lm_digest_format (&package->blob.digest, digest));
    }
  for (char **name = lock->removed; *name != NULL; name++)
    g_string_append_printf (text, "removed %s\n", *name);
  return lm_digest_of_text (text->str);
}

char *
lm_recipe_lock_path (const char *path)
{
  const char *dot = strrchr (path, '.');
  struct stat st;
  if (g_str_has_prefix (path, "/dev/") || (stat (path, &st) == 0 && !S_ISREG (st.st_mode)))
    return NULL;
  const gboolean is_suffix = dot != NULL && strchr (dot, '/') == NULL && dot > path && dot[-1] != '/';
  return g_strdup_printf ("%.*s" SUFFIX, is_suffix ? (int) (dot - path) : (int) strlen (path), path);
}

/* ---- reading */

static gboolean
read_package (const LmJsonValue *value, LmRecipeLock *lock)
{
  const char *name = lm_json_get_string (value, "name"), *version = lm_json_get_string (value, "version");
  const char *architecture = lm_json_get_string (value, "architecture"), *url = lm_json_get_string (value, "url");
  const gint64 size = lm_json_get_int (value, "size", -1);
  LmBlob blob = { .kind = LM_BLOB_FILE, .name = (char *) name, .urls = (char *[]){ (char *) url, NULL } };
  if (name == NULL || version == NULL || architecture == NULL || url == NULL || size < 0 || (guint64) size > LM_BLOB_SIZE_MAX
      || !lm_digest_parse (lm_json_get_string (value, "digest"), &blob.digest, NULL))
    return FALSE;
  blob.size = (guint64) size;
  lm_recipe_lock_add (lock, name, version, architecture, &blob);
  return TRUE;
}

static LmRecipeLock *
read_lock (const LmJsonValue *value)
{
  LmDigest recipe, contents;
  if (!lm_digest_parse (lm_json_get_string (value, "recipe"), &recipe, NULL)
      || !lm_digest_parse (lm_json_get_string (value, "parent_packages"), &contents, NULL))
    return NULL;
  g_autoptr (LmRecipeLock) lock = lm_recipe_lock_new (&recipe, &contents);
  for (const LmJsonValue *package = lm_json_get_first (lm_json_get_array (value, "packages")); package != NULL;
       package = lm_json_get_next (package))
    if (!read_package (package, lock))
      return NULL;
  const LmJsonValue *removed = lm_json_get_array (value, "removed");
  guint count = 0;
  for (const LmJsonValue *name = lm_json_get_first (removed); name != NULL; name = lm_json_get_next (name))
    count++;
  g_strfreev (lock->removed);
  lock->removed = lm_json_get_strv (value, "removed");
  return removed != NULL && g_strv_length (lock->removed) == count ? g_steal_pointer (&lock) : NULL;
}

static GPtrArray *
throw_invalid (const char *path, const char *why, GError **error)
{
  return lm_throw_null (error, LM_RECIPE_LOCK_ERROR, LM_RECIPE_LOCK_ERROR_INVALID,
                        "%s is not a file of locked packages: %s; repair it, or remove it to choose the packages anew", path, why);
}

GPtrArray *
lm_recipe_lock_load (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) locks = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_recipe_lock_free);
  g_autoptr (GError) failure = NULL;
  if (path == NULL)
    return g_steal_pointer (&locks);
  g_autoptr (GBytes) bytes = lm_file_read (path, FILE_SIZE_MAX, cancellable, &failure);
  if (bytes == NULL && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return g_steal_pointer (&locks);
  if (bytes == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  g_autoptr (LmJson) json = lm_json_parse (text, size, &failure);
  if (json == NULL)
    return throw_invalid (path, failure->message, error);
  if (lm_json_get_int (lm_json_get_root (json), "lamina-lock", 0) != FORMAT_VERSION)
    return throw_invalid (path, "\"lamina-lock\" is not " G_STRINGIFY (FORMAT_VERSION), error);
  const LmJsonValue *entries = lm_json_get_array (lm_json_get_root (json), "locks");
  if (entries == NULL)
    return throw_invalid (path, "\"locks\" is not a list", error);
  for (const LmJsonValue *value = lm_json_get_first (entries); value != NULL;
       value = lm_json_get_next (value))
    {
      LmRecipeLock *lock = read_lock (value);
      if (lock == NULL)
        return throw_invalid (path, "an entry is incomplete", error);
      g_ptr_array_add (locks, lock);
    }
  return g_steal_pointer (&locks);
}

LmRecipeLock *
lm_recipe_lock_find (const GPtrArray *locks, const LmDigest *recipe, const LmDigest *parent_contents)
{
  for (guint i = 0; i < locks->len; i++)
    {
      LmRecipeLock *lock = g_ptr_array_index (locks, i);
      if (lm_digest_equal (&lock->recipe, recipe) && lm_digest_equal (&lock->parent_contents, parent_contents))
        return lock;
    }
  return NULL;
}

/* ---- writing */

static void
write_lock (JsonBuilder *builder, const LmRecipeLock *lock)
{
  json_builder_begin_object (builder);
  lm_json_add_digest (builder, "recipe", &lock->recipe);
  lm_json_add_digest (builder, "parent_packages", &lock->parent_contents);
  json_builder_set_member_name (builder, "packages");
  json_builder_begin_array (builder);
  for (guint i = 0; i < lock->packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (lock->packages, i);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "name", package->name);
      lm_json_add_string (builder, "version", package->version);
      lm_json_add_string (builder, "architecture", package->architecture);
      lm_json_add_digest (builder, "digest", &package->blob.digest);
      lm_json_add_uint (builder, "size", package->blob.size);
      lm_json_add_url (builder, "url", package->blob.urls != NULL ? package->blob.urls[0] : NULL);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_json_add_strv (builder, "removed", lock->removed);
  json_builder_end_object (builder);
}

gboolean
lm_recipe_lock_save (const char *path, const GPtrArray *locks, const LmRecipeLock *lock, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_uint (builder, "lamina-lock", FORMAT_VERSION);
  json_builder_set_member_name (builder, "locks");
  json_builder_begin_array (builder);
  for (guint i = 0; i < locks->len; i++)
    {
      const LmRecipeLock *other = g_ptr_array_index (locks, i);
      if (lm_digest_equal (&other->recipe, &lock->recipe) && !lm_digest_equal (&other->parent_contents, &lock->parent_contents))
        write_lock (builder, other);
    }
  write_lock (builder, lock);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  g_autofree char *text = lm_json_finish (builder);
  return lm_file_write (path, text, strlen (text), 0644, error);
}
