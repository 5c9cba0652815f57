/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/usage.h"
#include "base/error.h"
#include "base/file.h"
#include "image/reference.h"
#include "io/xml.h"
#include "virt/domain.h"
#include "virt/storage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

G_DEFINE_QUARK (lm-usage-error-quark, lm_usage_error)

#define QEMU_URI "http://libvirt.org/schemas/domain/qemu/1.0"

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
  char *real = realpath (path, NULL);
  g_autofree char *where = g_strdup (real);
  free (real);
  struct stat st;
  /* is_target_file() has dealt with files that cannot be reached. Opening a device may have side effects. */
  if (where == NULL || stat (where, &st) < 0 || !S_ISREG (st.st_mode))
    return g_ptr_array_new ();
  GPtrArray *names = lm_image_list_references (where, target->cancellable, &failure);
  if (names != NULL)
    return names;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return g_ptr_array_new ();
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

/* What a guest writes to a raw disk is not to be read as an image format. */
static gboolean
is_raw (const LmXmlNode *disk)
{
  const LmXmlNode *driver = lm_xml_child (disk, NULL, "driver");
  g_autofree char *format = driver != NULL ? lm_xml_attribute (driver, "type") : NULL;
  return g_strcmp0 (format, "raw") == 0;
}

/* Checks the values of @first and of its following siblings with the same name. */
static gboolean
check_disks (UsageTarget *target, const LmXmlNode *first, const char *uri, const char *name, const char *user,
             GError **error)
{
  for (const LmXmlNode *node = first; node != NULL; node = lm_xml_next (node, uri, name))
    {
      g_autoptr (GPtrArray) values = lm_xml_list_values (node, NULL);
      for (guint i = 0; i < values->len; i++)
        if (!check_file (target, g_ptr_array_index (values, i), !is_raw (node), user, error))
          return FALSE;
    }
  return TRUE;
}

/* Checks everything that may be a disk. Logs and similar files are written by
 * guests and may look like anything. */
static gboolean
check_all_disks (UsageTarget *target, const LmXmlNode *root, const char *user, GError **error)
{
  const LmXmlNode *devices = lm_xml_child (root, NULL, "devices");
  const LmXmlNode *arguments = lm_xml_child (root, QEMU_URI, "commandline");
  return (devices == NULL
          || (check_disks (target, lm_xml_child (devices, NULL, "disk"), NULL, "disk", user, error)
              && check_disks (target, lm_xml_child (devices, NULL, "filesystem"), NULL, "filesystem", user, error)))
         && check_disks (target, arguments, QEMU_URI, "commandline", user, error);
}

/* Checks disks that are given as volumes, whose path is determined from the pool. */
static gboolean
check_volumes (UsageTarget *target, LmVirt *virt, const LmXmlNode *root, const char *user, GError **error)
{
  const LmXmlNode *devices = lm_xml_child (root, NULL, "devices");
  const LmXmlNode *disk = devices != NULL ? lm_xml_child (devices, NULL, "disk") : NULL;
  for (; disk != NULL; disk = lm_xml_next (disk, NULL, "disk"))
    {
      const LmXmlNode *source = lm_xml_child (disk, NULL, "source");
      g_autofree char *pool = source != NULL ? lm_xml_attribute (source, "pool") : NULL;
      g_autofree char *volume = source != NULL ? lm_xml_attribute (source, "volume") : NULL;
      if (pool == NULL || volume == NULL)
        continue;
      g_autoptr (GError) failure = NULL;
      g_autofree char *text = lm_virt_pool_xml (virt, pool, &failure);
      if (g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
        continue;
      g_autoptr (LmXml) xml = text != NULL ? lm_xml_parse (text, strlen (text), pool, &failure) : NULL;
      if (xml == NULL)
        return throw_usage_unknown (target, user, failure, error);
      const LmXmlNode *place = lm_xml_child (lm_xml_root (xml), NULL, "target");
      const LmXmlNode *path = place != NULL ? lm_xml_child (place, NULL, "path") : NULL;
      g_autofree char *dir = path != NULL ? lm_xml_text (path) : g_strdup ("");
      g_autofree char *file = g_build_filename (dir, volume, NULL);
      if (!check_file (target, file, !is_raw (disk), user, error))
        return FALSE;
    }
  return TRUE;
}

/* Checks a domain's XML. Metadata is ignored, because a clone has a copy of it. */
static gboolean
check_xml (UsageTarget *target, LmVirt *virt, const char *text, const char *user, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmXml) xml = lm_xml_parse (text, strlen (text), user, &failure);
  if (xml == NULL)
    return throw_usage_unknown (target, user, failure, error);
  g_autoptr (GPtrArray) values = lm_xml_list_values (lm_xml_root (xml), "metadata");
  for (guint i = 0; i < values->len; i++)
    if (!check_file (target, g_ptr_array_index (values, i), FALSE, user, error))
      return FALSE;
  return check_all_disks (target, lm_xml_root (xml), user, error) && check_volumes (target, virt, lm_xml_root (xml), user, error);
}

static gboolean
check_domain (UsageTarget *target, LmVirt *virt, LmVirtDomain *domain, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *user = g_strdup_printf ("the domain %s (%s)", lm_virt_domain_name (domain), lm_virt_uri (virt));
  g_autofree char *defined = lm_virt_domain_xml (domain, &failure);
  g_autofree char *live = defined != NULL ? lm_virt_domain_live_xml (domain, &failure) : NULL;
  if (live == NULL)
    return g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND)
           || throw_usage_unknown (target, user, failure, error);
  return check_xml (target, virt, defined, user, error) && check_xml (target, virt, live, user, error);
}

/* Checks all domains of @virt except the machine's own. */
static gboolean
check_domains (UsageTarget *target, LmVirt *virt, GError **error)
{
  const LmMachine *machine = target->machine;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) domains = lm_virt_list_domains (virt, &failure);
  if (domains == NULL)
    return throw_usage_unknown (target, lm_virt_uri (virt), failure, error);
  for (guint i = 0; i < domains->len; i++)
    {
      LmVirtDomain *domain = g_ptr_array_index (domains, i);
      gboolean own = strcmp (lm_virt_domain_uuid (domain), machine->uuid) == 0
                     && g_strcmp0 (machine->uri, lm_virt_uri (virt)) == 0;
      if (!own && !check_domain (target, virt, domain, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_connection (UsageTarget *target, const LmHost *host, const char *uri, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmVirt) virt = lm_virt_connect (uri, &host->libvirt, &failure);
  if (virt != NULL)
    return check_domains (target, virt, error);
  if (lm_virt_uri_is_local (uri))
    return throw_usage_unknown (target, uri, failure, error);
  g_autofree char *text = g_strdup_printf ("cannot determine whether domains on %s use files of %s: %s", uri,
                                           target->machine->name, failure->message);
  host->warning (host->user_data, text);
  return TRUE;
}

/* Checks disks in the directory of another machine, whether a domain uses them or not. */
static gboolean
check_directory (UsageTarget *target, const LmHost *host, const char *uuid, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *dir = g_build_filename (host->state_dir, "machines", uuid, NULL);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, &failure);
  if (names == NULL)
    return g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
           || throw_usage_unknown (target, dir, failure, error);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *path = g_build_filename (dir, name, NULL);
      g_autofree char *user = g_strdup_printf ("the disk %s", path);
      if (!check_file (target, path, lm_machine_may_be_disk (name), user, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_directories (UsageTarget *target, const LmHost *host, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *dir = g_build_filename (host->state_dir, "machines", NULL);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, &failure);
  if (names == NULL)
    return throw_usage_unknown (target, dir, failure, error);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      if (g_uuid_string_is_valid (name) && strcmp (name, target->machine->uuid) != 0
          && !check_directory (target, host, name, error))
        return FALSE;
    }
  return TRUE;
}

/* Checks the connections in all records except that of @virt, each once. */
static gboolean
check_connections (UsageTarget *target, const LmHost *host, LmVirt *virt, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) unreadable = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) machines = lm_machine_list (host->state_dir, unreadable, &failure);
  if (machines == NULL)
    return throw_usage_unknown (target, "another machine", failure, error);
  /* Their disks are checked nevertheless, but their connections are unknown. */
  for (guint i = 0; i < unreadable->len; i++)
    host->warning (host->user_data, g_ptr_array_index (unreadable, i));
  g_autoptr (GHashTable) asked = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_add (asked, (gpointer) lm_virt_uri (virt));
  for (guint i = 0; i < machines->len; i++)
    {
      const LmMachine *machine = g_ptr_array_index (machines, i);
      if (machine->uri != NULL && g_hash_table_add (asked, machine->uri)
          && !check_connection (target, host, machine->uri, error))
        return FALSE;
    }
  return TRUE;
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
  return check_domains (&target, virt, error) && check_connections (&target, host, virt, error)
         && check_directories (&target, host, error) && check_names (&target, error);
}
