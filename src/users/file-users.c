/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "users/file-users.h"
#include "base/error.h"
#include "base/file.h"
#include "image/reference.h"
#include "io/xml.h"
#include "virt/storage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define QEMU_URI "http://libvirt.org/schemas/domain/qemu/1.0"

/* The visit of one connection. */
typedef struct
{
  const LmFileVisitor *visitor;
  LmVirt *virt;
  GHashTable *pools; /* name -> directory; "" if there is no such pool */
} Visit;

/* What a guest writes to a raw disk is not to be read as an image format. */
static gboolean
is_raw (const LmXmlNode *disk)
{
  const LmXmlNode *driver = lm_xml_child (disk, NULL, "driver");
  g_autofree char *format = driver != NULL ? lm_xml_attribute (driver, "type") : NULL;
  return g_strcmp0 (format, "raw") == 0;
}

/* Visits the values of @first and of its following siblings with the same name. */
static gboolean
visit_disks (const Visit *visit, const LmXmlNode *first, const char *uri, const char *name, const LmFileUser *user,
             GError **error)
{
  for (const LmXmlNode *node = first; node != NULL; node = lm_xml_next (node, uri, name))
    {
      g_autoptr (GPtrArray) values = lm_xml_list_values (node, NULL);
      const gboolean is_disk = !is_raw (node);
      for (guint i = 0; i < values->len; i++)
        if (!visit->visitor->use (visit->visitor->data, user, g_ptr_array_index (values, i), is_disk, error))
          return FALSE;
    }
  return TRUE;
}

/* Visits everything that may be a disk. Logs and similar files are written by
 * guests and may look like anything. */
static gboolean
visit_all_disks (const Visit *visit, const LmXmlNode *root, const LmFileUser *user, GError **error)
{
  const LmXmlNode *devices = lm_xml_child (root, NULL, "devices");
  const LmXmlNode *arguments = lm_xml_child (root, QEMU_URI, "commandline");
  return (devices == NULL
          || (visit_disks (visit, lm_xml_child (devices, NULL, "disk"), NULL, "disk", user, error)
              && visit_disks (visit, lm_xml_child (devices, NULL, "filesystem"), NULL, "filesystem", user, error)))
         && visit_disks (visit, arguments, QEMU_URI, "commandline", user, error);
}

/* Returns the directory of the storage pool @name, "" if there is no such pool; owned by @visit. */
static const char *
find_pool (Visit *visit, const char *name, GError **error)
{
  const char *known = g_hash_table_lookup (visit->pools, name);
  if (known != NULL)
    return known;
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = lm_virt_pool_xml (visit->virt, name, &failure);
  g_autoptr (LmXml) xml = text != NULL ? lm_xml_parse (text, strlen (text), name, &failure) : NULL;
  if (xml == NULL && !g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  const LmXmlNode *place = xml != NULL ? lm_xml_child (lm_xml_root (xml), NULL, "target") : NULL;
  const LmXmlNode *path = place != NULL ? lm_xml_child (place, NULL, "path") : NULL;
  char *dir = path != NULL ? lm_xml_text (path) : g_strdup ("");
  g_hash_table_insert (visit->pools, g_strdup (name), dir);
  return dir;
}

/* Visits disks that are given as volumes, whose path is determined from the pool. */
static gboolean
visit_volumes (Visit *visit, const LmXmlNode *root, const LmFileUser *user, GError **error)
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
      const char *dir = find_pool (visit, pool, &failure);
      if (dir == NULL)
        return visit->visitor->unknown (visit->visitor->data, user->text, failure, error);
      g_autofree char *file = g_build_filename (dir, volume, NULL);
      if (*dir != '\0' && !visit->visitor->use (visit->visitor->data, user, file, !is_raw (disk), error))
        return FALSE;
    }
  return TRUE;
}

/* Visits a <domain>. */
static gboolean
visit_domain_node (Visit *visit, const LmXmlNode *root, const LmFileUser *user, GError **error)
{
  g_autoptr (GPtrArray) values = lm_xml_list_values (root, "metadata");
  for (guint i = 0; i < values->len; i++)
    if (!visit->visitor->use (visit->visitor->data, user, g_ptr_array_index (values, i), FALSE, error))
      return FALSE;
  return visit_all_disks (visit, root, user, error) && visit_volumes (visit, root, user, error);
}

/* Visits the XML of a domain, of a saved state, or of a snapshot, which contains domains. */
static gboolean
visit_xml (Visit *visit, const char *text, const LmFileUser *user, GError **error)
{
  static const char *const nested[] = { "domain", "inactiveDomain" };
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmXml) xml = lm_xml_parse (text, strlen (text), user->text, &failure);
  if (xml == NULL)
    return visit->visitor->unknown (visit->visitor->data, user->text, failure, error);
  const LmXmlNode *root = lm_xml_root (xml);
  if (!lm_xml_is (root, NULL, "domainsnapshot"))
    return visit_domain_node (visit, root, user, error);
  for (gsize i = 0; i < G_N_ELEMENTS (nested); i++)
    {
      const LmXmlNode *domain = lm_xml_child (root, NULL, nested[i]);
      if (domain != NULL && !visit_domain_node (visit, domain, user, error))
        return FALSE;
    }
  const LmXmlNode *disks = lm_xml_child (root, NULL, "disks");
  return disks == NULL || visit_disks (visit, lm_xml_child (disks, NULL, "disk"), NULL, "disk", user, error);
}

static gboolean
visit_definition (gpointer data, const LmVirtDefinition *definition, GError **error)
{
  Visit *visit = data;
  g_autofree char *text = g_strdup_printf ("the domain %s (%s)", definition->name, lm_virt_uri (visit->virt));
  const LmFileUser user = { definition, lm_virt_uri (visit->virt), definition->uuid, text };
  if (visit->visitor->skip (visit->visitor->data, &user))
    return TRUE;
  for (guint i = 0; i < definition->xml->len; i++)
    if (!visit_xml (visit, g_ptr_array_index (definition->xml, i), &user, error))
      return FALSE;
  return TRUE;
}

gboolean
lm_file_users_visit_domains (LmVirtReader *reader, const char *uri, const LmFileVisitor *visitor, GError **error)
{
  g_autoptr (GError) failure = NULL;
  LmVirt *virt = lm_virt_reader_get_connection (reader, &failure);
  if (virt == NULL)
    return visitor->unreachable (visitor->data, uri != NULL ? uri : "libvirt", failure, error);
  g_autoptr (GHashTable) pools = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Visit visit = { visitor, virt, pools };
  if (lm_virt_reader_visit (reader, visit_definition, &visit, &failure))
    return TRUE;
  if (failure->domain == LM_VIRT_ERROR)
    return visitor->unknown (visitor->data, lm_virt_uri (virt), failure, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

GPtrArray *
lm_file_users_list_uris (const LmUsersScope *scope, LmVirt *virt, const GPtrArray *machines)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *uris = g_ptr_array_new ();
  if (virt != NULL)
    g_hash_table_add (known, (gpointer) lm_virt_uri (virt));
  for (guint i = 0; i < machines->len; i++)
    {
      const LmMachine *machine = g_ptr_array_index (machines, i);
      if (machine->uri != NULL && g_hash_table_add (known, machine->uri))
        g_ptr_array_add (uris, machine->uri);
    }
  for (const char *const *uri = scope->connections; uri != NULL && *uri != NULL; uri++)
    if (g_hash_table_add (known, (gpointer) *uri))
      g_ptr_array_add (uris, (gpointer) *uri);
  return uris;
}

static gboolean
visit_directory (const LmUsersScope *scope, const char *uuid, const LmFileVisitor *visitor, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *dir = g_build_filename (scope->state_dir, "machines", uuid, NULL);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, &failure);
  if (names == NULL)
    return g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
           || visitor->unknown (visitor->data, dir, failure, error);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *path = g_build_filename (dir, name, NULL);
      g_autofree char *text = g_strdup_printf ("the disk %s", path);
      const LmFileUser user = { .uuid = uuid, .text = text };
      if (!visitor->skip (visitor->data, &user)
          && !visitor->use (visitor->data, &user, path, lm_machine_may_be_disk (name), error))
        return FALSE;
    }
  return TRUE;
}

gboolean
lm_file_users_visit_directories (const LmUsersScope *scope, const LmFileVisitor *visitor, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *dir = g_build_filename (scope->state_dir, "machines", NULL);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, &failure);
  if (names == NULL)
    return g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
           || visitor->unknown (visitor->data, dir, failure, error);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      if (g_uuid_string_is_valid (name) && !visit_directory (scope, name, visitor, error))
        return FALSE;
    }
  return TRUE;
}

/* Returns the path of the file to be read; NULL without an error if there is none, also
 * not for QEMU. One that only this user cannot reach may refer to anything. */
static char *
resolve_disk (const char *path, GError **error)
{
  struct stat st;
  /* Only a symbolic link at the end of the path changes what relative names in the image mean. */
  if (lstat (path, &st) == 0 && !S_ISLNK (st.st_mode))
    return g_strdup (path);
  char *real = realpath (path, NULL);
  if (real == NULL && errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG && errno != ELOOP)
    return lm_throw_errno_null (error, "cannot find %s", path);
  char *copy = g_strdup (real);
  free (real);
  return copy;
}

GPtrArray *
lm_file_users_list_references (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *where = resolve_disk (path, &failure);
  struct stat st;
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  /* Opening a device may have side effects. */
  if (where == NULL || stat (where, &st) < 0 || !S_ISREG (st.st_mode))
    return g_ptr_array_new ();
  GPtrArray *names = lm_image_list_references (where, cancellable, &failure);
  if (names != NULL)
    return names;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return g_ptr_array_new ();
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}
