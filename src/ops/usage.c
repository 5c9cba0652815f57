/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/usage.h"
#include "base/error.h"
#include "base/file.h"
#include "users/file-users.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

G_DEFINE_QUARK (lm-usage-error-quark, lm_usage_error)

/* The machine to be removed. */
typedef struct
{
  const LmHost *host;
  const LmMachine *machine;
  GCancellable *cancellable;
  GPtrArray *names;  /* of the files in its directory */
  char *mark;        /* "machines/<uuid>/", which is part of every path to it */
  GHashTable *files; /* identities of the directory and of what is in it */
  GHashTable *cleared; /* paths of disks whose references have been followed */
} UsageTarget;

static void
usage_target_clear (UsageTarget *target)
{
  g_clear_pointer (&target->names, g_ptr_array_unref);
  g_free (target->mark);
  g_clear_pointer (&target->files, g_hash_table_unref);
  g_clear_pointer (&target->cleared, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (UsageTarget, usage_target_clear)

static char *
format_identity (const struct stat *st)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) st->st_dev, (guint64) st->st_ino);
}

static gboolean
throw_usage_unknown (const UsageTarget *target, const char *what, const GError *cause, GError **error)
{
  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_error_copy (cause));
      return FALSE;
    }
  return lm_throw (error, LM_USAGE_ERROR, LM_USAGE_ERROR_UNKNOWN,
                   "%s is kept because it cannot be determined whether %s uses its files: %s",
                   target->machine->name, what, cause->message);
}

/* FALSE without an error means that the directory does not exist, so nobody can use it. */
static gboolean
read_usage_target (UsageTarget *target, GError **error)
{
  const LmMachine *machine = target->machine;
  g_autoptr (GError) failure = NULL;
  target->mark = g_strdup_printf ("machines/%s/", machine->uuid);
  target->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  target->cleared = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  target->names = lm_file_list_dir (machine->dir, &failure);
  if (target->names == NULL)
    return !g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
           && throw_usage_unknown (target, "anybody", failure, error);
  for (guint i = 0; i <= target->names->len; i++)
    {
      struct stat st;
      g_autofree char *path
        = i == 0 ? g_strdup (machine->dir) : g_build_filename (machine->dir, target->names->pdata[i - 1], NULL);
      if (lstat (path, &st) == 0)
        g_hash_table_add (target->files, format_identity (&st));
      else if (errno != ENOENT)
        {
          lm_throw_errno (&failure, "cannot stat %s", path);
          return throw_usage_unknown (target, "anybody", failure, error);
        }
    }
  return TRUE;
}

static gboolean
throw_in_use (const UsageTarget *target, const char *path, const char *user, GError **error)
{
  g_autofree char *safe = g_strescape (path, NULL);
  return lm_throw (error, LM_USAGE_ERROR, LM_USAGE_ERROR_IN_USE,
                   "%s is kept because %s uses %s; remove that user of the file, or give it another file, first",
                   target->machine->name, user, safe);
}

/* Whether @path, of a file that may not exist, is in the machine's directory. A
 * file that this user cannot reach was not put there by lamina for this user. */
static gboolean
is_target_file (const UsageTarget *target, const char *path, gboolean *out_ours, GError **error)
{
  struct stat st;
  *out_ours = strstr (path, target->mark) != NULL;
  if (*out_ours || path[0] != '/')
    return TRUE;
  if (stat (path, &st) == 0)
    {
      g_autofree char *identity = format_identity (&st);
      *out_ours = g_hash_table_contains (target->files, identity);
      return TRUE;
    }
  if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ENAMETOOLONG || errno == ELOOP)
    return TRUE;
  return lm_throw_errno (error, "cannot stat %s", path);
}

/* Returns the files that the disk @path refers to; empty if it is not a disk that this user can read. */
static GPtrArray *
list_references (const UsageTarget *target, const char *path, const char *user, GError **error)
{
  g_autoptr (GError) failure = NULL;
  /* is_target_file() has dealt with files that cannot be reached. */
  GPtrArray *names = lm_file_users_list_references (path, target->cancellable, &failure);
  if (names != NULL)
    return names;
  if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  /* For example, the disks of the system's machines for an unprivileged user. */
  g_autofree char *text = g_strdup_printf ("cannot determine whether %s uses files of %s: %s", user,
                                           target->machine->name, failure->message);
  target->host->warning (target->host->user_data, text);
  return g_ptr_array_new ();
}

/* Checks that @path, used by @user, is not a file of the machine and, if @is_disk
 * is set, does not refer to one. */
static gboolean
check_file (UsageTarget *target, const char *path, gboolean is_disk, const char *user, GError **error)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) failure = NULL;
  g_ptr_array_add (paths, g_strdup (path));
  while (paths->len > 0)
    {
      gboolean ours;
      g_autofree char *now = g_ptr_array_steal_index (paths, paths->len - 1);
      if (!is_target_file (target, now, &ours, &failure))
        return throw_usage_unknown (target, user, failure, error);
      if (ours)
        return throw_in_use (target, now, user, error);
      if (!is_disk || now[0] != '/' || g_hash_table_contains (target->cleared, now))
        continue;
      g_autoptr (GPtrArray) names = list_references (target, now, user, &failure);
      if (names == NULL)
        return throw_usage_unknown (target, user, failure, error);
      for (guint i = 0; i < names->len; i++)
        g_ptr_array_add (paths, g_strdup (names->pdata[i]));
      g_hash_table_add (target->cleared, g_steal_pointer (&now));
    }
  return TRUE;
}

/* The machine's own domain and directory. */
static gboolean
skip_own (gpointer data, const LmFileUser *user)
{
  const UsageTarget *target = data;
  return strcmp (user->uuid, target->machine->uuid) == 0
         && (user->domain == NULL || g_strcmp0 (target->machine->uri, user->uri) == 0);
}

static gboolean
check_use (gpointer data, const LmFileUser *user, const char *path, gboolean is_disk, GError **error)
{
  return check_file (data, path, is_disk, user->text, error);
}

static gboolean
throw_unknown (gpointer data, const char *what, const GError *cause, GError **error)
{
  return throw_usage_unknown (data, what, cause, error);
}

/* Another host can reach the files only through shared storage. */
static gboolean
throw_unreachable (gpointer data, const char *uri, const GError *cause, GError **error)
{
  const UsageTarget *target = data;
  if (lm_virt_uri_is_local (uri))
    return throw_usage_unknown (target, "a domain", cause, error);
  g_autofree char *text = g_strdup_printf ("cannot determine whether domains of another host use files of %s: %s",
                                           target->machine->name, cause->message);
  target->host->warning (target->host->user_data, text);
  return TRUE;
}

/* Checks all domains, and the disks in the directories of other machines. */
static gboolean
check_users (UsageTarget *target, LmVirt *virt, GError **error)
{
  const LmHost *host = target->host;
  const LmFileVisitor visitor = { target, skip_own, check_use, throw_unknown, throw_unreachable };
  const LmUsersScope scope = lm_host_scope (host);
  g_autoptr (LmVirtReader) reader = lm_virt_reader_new (virt, NULL, NULL);
  if (!lm_file_users_visit_domains (reader, NULL, &visitor, error))
    return FALSE;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) unreadable = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) machines = lm_machine_list (host->state_dir, unreadable, &failure);
  if (machines == NULL)
    return throw_usage_unknown (target, "another machine", failure, error);
  /* Their disks are checked nevertheless, but their connections are unknown. */
  for (guint i = 0; i < unreadable->len; i++)
    host->warning (host->user_data, g_ptr_array_index (unreadable, i));
  g_autoptr (GPtrArray) uris = lm_file_users_list_uris (&scope, virt, machines);
  for (guint i = 0; i < uris->len; i++)
    {
      const char *uri = g_ptr_array_index (uris, i);
      g_autoptr (LmVirtReader) other = lm_virt_reader_new (NULL, uri, &scope.libvirt);
      if (!lm_file_users_visit_domains (other, uri, &visitor, error))
        return FALSE;
    }
  return lm_file_users_visit_directories (&scope, &visitor, error);
}

static gboolean
check_names (const UsageTarget *target, GError **error)
{
  for (guint i = 0; i < target->names->len; i++)
    {
      const char *name = g_ptr_array_index (target->names, i);
      g_autofree char *safe = g_strescape (name, NULL);
      if (!lm_machine_owns_file (target->machine, name))
        return lm_throw (error, LM_USAGE_ERROR, LM_USAGE_ERROR_FOREIGN,
                         "%s is kept because lamina did not create %s in %s; move or remove that file first",
                         target->machine->name, safe, target->machine->dir);
    }
  return TRUE;
}

gboolean
lm_usage_check (const LmHost *host, LmVirt *virt, const LmMachine *machine, GCancellable *cancellable, GError **error)
{
  g_auto (UsageTarget) target = { .host = host, .machine = machine, .cancellable = cancellable };
  g_autoptr (GError) failure = NULL;
  if (!read_usage_target (&target, &failure))
    {
      if (failure == NULL)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return check_users (&target, virt, error) && check_names (&target, error);
}
