/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/usage.h"
#include "base/error.h"
#include "base/file.h"
#include "image/qcow2.h"
#include "io/xml.h"
#include "virt/domain.h"
#include "virt/storage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

G_DEFINE_QUARK (lm-usage-error-quark, lm_usage_error)

/* No chain is longer; one that is runs in a circle. */
#define DEPTH_MAX 256

/* The machine that is to go. */
typedef struct
{
  const LmMachine *machine;
  GPtrArray *names;  /* in its directory */
  char *mark;        /* "machines/<uuid>/": in any path to it, however it is reached */
  GHashTable *files; /* identities of the directory and of what is in it */
  GHashTable *cleared; /* paths of disks that were followed to their base */
} Target;

static void
target_clear (Target *target)
{
  g_clear_pointer (&target->names, g_ptr_array_unref);
  g_free (target->mark);
  g_clear_pointer (&target->files, g_hash_table_unref);
  g_clear_pointer (&target->cleared, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Target, target_clear)

static char *
identity_of (const struct stat *st)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) st->st_dev, (guint64) st->st_ino);
}

static gboolean
throw_unknown (const Target *target, const char *what, const GError *cause, GError **error)
{
  return lm_throw (error, LM_USAGE_ERROR, LM_USAGE_ERROR_UNKNOWN,
                   "%s is kept: it cannot be told whether %s uses its files: %s", target->machine->name, what,
                   cause->message);
}

/* FALSE with no error: the directory is gone, there is nothing to use. */
static gboolean
read_target (Target *target, GError **error)
{
  const LmMachine *machine = target->machine;
  g_autoptr (GError) failure = NULL;
  target->mark = g_strdup_printf ("machines/%s/", machine->uuid);
  target->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  target->cleared = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  target->names = lm_file_list_dir (machine->dir, &failure);
  if (target->names == NULL)
    return g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ? FALSE
                                                                       : throw_unknown (target, "anybody", failure, error);
  for (guint i = 0; i <= target->names->len; i++)
    {
      struct stat st;
      g_autofree char *path
        = i == 0 ? g_strdup (machine->dir) : g_build_filename (machine->dir, target->names->pdata[i - 1], NULL);
      if (lstat (path, &st) == 0)
        g_hash_table_add (target->files, identity_of (&st));
      else if (errno != ENOENT)
        {
          lm_throw_errno (&failure, "cannot stat %s", path);
          return throw_unknown (target, "anybody", failure, error);
        }
    }
  return TRUE;
}

static gboolean
throw_in_use (const Target *target, const char *path, const char *user, GError **error)
{
  g_autofree char *safe = g_strescape (path, NULL);
  return lm_throw (error, LM_USAGE_ERROR, LM_USAGE_ERROR_IN_USE,
                   "%s is kept: %s uses %s; move that file, or remove what uses it, first", target->machine->name, user,
                   safe);
}

/* Whether @path, of a file that may not be there, is in the machine's directory.
 * What this user cannot reach was not put there by lamina for this user. */
static gboolean
is_ours (const Target *target, const char *path, gboolean *out_ours, GError **error)
{
  struct stat st;
  *out_ours = strstr (path, target->mark) != NULL;
  if (*out_ours || path[0] != '/')
    return TRUE;
  if (stat (path, &st) == 0)
    {
      g_autofree char *identity = identity_of (&st);
      *out_ours = g_hash_table_contains (target->files, identity);
      return TRUE;
    }
  if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ENAMETOOLONG || errno == ELOOP)
    return TRUE;
  return lm_throw_errno (error, "cannot stat %s", path);
}

/* The backing file of the disk @path as a path; *out_next NULL: it has none that
 * is a file, or is no disk that this user can read. */
static gboolean
read_backing (const char *path, char **out_next, GError **error)
{
  LmQcow2Header header;
  g_autoptr (GError) failure = NULL;
  *out_next = NULL;
  char *real = realpath (path, NULL);
  g_autofree char *where = g_strdup (real);
  free (real);
  struct stat st;
  /* is_ours() has told what cannot be reached. Opening a device may act on it. */
  if (where == NULL || stat (where, &st) < 0 || !S_ISREG (st.st_mode))
    return TRUE;
  if (!lm_qcow2_read (where, &header, NULL, &failure))
    {
      if (failure->domain == LM_IMAGE_ERROR || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
          || g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  const char *name = header.backing_name;
  if (g_str_has_prefix (name, "file:"))
    name += strlen ("file:");
  g_autofree char *dir = g_path_get_dirname (where);
  if (*name != '\0')
    *out_next = name[0] == '/' || g_str_has_prefix (name, "json:") ? g_strdup (name) : g_build_filename (dir, name, NULL);
  return TRUE;
}

/* Whether @path, used by @user, or what it is backed by is a file of the machine. */
static gboolean
check_disk (Target *target, const char *path, const char *user, GError **error)
{
  g_autofree char *next = g_strdup (path);
  g_autoptr (GError) failure = NULL;
  for (guint depth = 0; next != NULL && depth < DEPTH_MAX; depth++)
    {
      gboolean ours;
      g_autofree char *now = g_steal_pointer (&next);
      if (!is_ours (target, now, &ours, &failure))
        return throw_unknown (target, user, failure, error);
      if (ours)
        return throw_in_use (target, now, user, error);
      if (now[0] != '/' || g_hash_table_contains (target->cleared, now))
        return TRUE;
      if (!read_backing (now, &next, &failure))
        return throw_unknown (target, user, failure, error);
      g_hash_table_add (target->cleared, g_steal_pointer (&now));
    }
  return TRUE;
}

/* A disk that is given as a volume: its path is asked of the pool. */
static gboolean
check_volumes (Target *target, LmVirt *virt, const LmXmlNode *root, const char *user, GError **error)
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
        return throw_unknown (target, user, failure, error);
      const LmXmlNode *place = lm_xml_child (lm_xml_root (xml), NULL, "target");
      const LmXmlNode *path = place != NULL ? lm_xml_child (place, NULL, "path") : NULL;
      g_autofree char *dir = path != NULL ? lm_xml_text (path) : g_strdup ("");
      g_autofree char *file = g_build_filename (dir, volume, NULL);
      if (!check_disk (target, file, user, error))
        return FALSE;
    }
  return TRUE;
}

/* @text: a domain's XML. Metadata are not looked at: a clone has a copy of them. */
static gboolean
check_xml (Target *target, LmVirt *virt, const char *text, const char *user, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmXml) xml = lm_xml_parse (text, strlen (text), user, &failure);
  if (xml == NULL)
    return throw_unknown (target, user, failure, error);
  g_autoptr (GPtrArray) values = lm_xml_list_values (lm_xml_root (xml), "metadata");
  for (guint i = 0; i < values->len; i++)
    if (!check_disk (target, g_ptr_array_index (values, i), user, error))
      return FALSE;
  return check_volumes (target, virt, lm_xml_root (xml), user, error);
}

static gboolean
check_domain (Target *target, LmVirt *virt, LmVirtDomain *domain, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *user = g_strdup_printf ("the domain %s (%s)", lm_virt_domain_name (domain), lm_virt_uri (virt));
  g_autofree char *defined = lm_virt_domain_xml (domain, &failure);
  g_autofree char *live = defined != NULL ? lm_virt_domain_live_xml (domain, &failure) : NULL;
  if (live == NULL)
    return g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND)
           || throw_unknown (target, user, failure, error);
  return check_xml (target, virt, defined, user, error) && check_xml (target, virt, live, user, error);
}

/* Every domain of @virt but the machine's own. */
static gboolean
check_domains (Target *target, LmVirt *virt, GError **error)
{
  const LmMachine *machine = target->machine;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) domains = lm_virt_list_domains (virt, &failure);
  if (domains == NULL)
    return throw_unknown (target, lm_virt_uri (virt), failure, error);
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
check_connection (Target *target, const LmHost *host, const char *uri, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmVirt) virt = lm_virt_connect (uri, &host->libvirt, &failure);
  if (virt != NULL)
    return check_domains (target, virt, error);
  if (lm_virt_uri_is_local (uri))
    return throw_unknown (target, uri, failure, error);
  g_autofree char *text = g_strdup_printf ("whether domains on %s use files of %s is not known: %s", uri,
                                           target->machine->name, failure->message);
  host->warning (host->user_data, text);
  return TRUE;
}

/* Disks in the directories of other machines, whether a domain has them or not. */
static gboolean
check_directory (Target *target, const LmHost *host, const char *uuid, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *dir = g_build_filename (host->state_dir, "machines", uuid, NULL);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, &failure);
  if (names == NULL)
    return g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) || throw_unknown (target, dir, failure, error);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (dir, names->pdata[i], NULL);
      g_autofree char *user = g_strdup_printf ("the disk %s", path);
      if (!check_disk (target, path, user, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_directories (Target *target, const LmHost *host, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *dir = g_build_filename (host->state_dir, "machines", NULL);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, &failure);
  if (names == NULL)
    return throw_unknown (target, dir, failure, error);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      if (g_uuid_string_is_valid (name) && strcmp (name, target->machine->uuid) != 0
          && !check_directory (target, host, name, error))
        return FALSE;
    }
  return TRUE;
}

/* The connections of all records but @virt's, each once. */
static gboolean
check_connections (Target *target, const LmHost *host, LmVirt *virt, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) unreadable = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) machines = lm_machine_list (host->state_dir, unreadable, &failure);
  if (machines == NULL)
    return throw_unknown (target, "another machine", failure, error);
  /* Their disks are looked at all the same; whom else to ask they do not tell. */
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
check_names (const Target *target, GError **error)
{
  for (guint i = 0; i < target->names->len; i++)
    {
      const char *name = g_ptr_array_index (target->names, i);
      g_autofree char *safe = g_strescape (name, NULL);
      if (!lm_machine_owns_file (name))
        return lm_throw (error, LM_USAGE_ERROR, LM_USAGE_ERROR_FOREIGN,
                         "%s is kept: lamina did not make %s in %s; move or remove that file first",
                         target->machine->name, safe, target->machine->dir);
    }
  return TRUE;
}

gboolean
lm_usage_check (const LmHost *host, LmVirt *virt, const LmMachine *machine, GError **error)
{
  g_auto (Target) target = { .machine = machine };
  g_autoptr (GError) failure = NULL;
  if (!read_target (&target, &failure))
    {
      if (failure == NULL)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return check_domains (&target, virt, error) && check_connections (&target, host, virt, error)
         && check_directories (&target, host, error) && check_names (&target, error);
}
