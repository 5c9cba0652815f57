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

/* Which of its direct children the reading of a disk is in. */
typedef enum
{
  IN_NOTHING,
  IN_DRIVER,
  IN_SOURCE,
} Part;

/* The reading of the XML of a domain, of a saved state, or of a snapshot, which contains
 * domains. Depths are 0 if there is no such element. */
typedef struct
{
  Visit *visit;
  const LmFileUser *user;
  gboolean is_snapshot;
  guint domain_depth;  /* of a <domain> */
  gboolean in_domain;
  guint skipped_depth; /* of an element whose content is of no interest */
  guint list_depth;    /* of an element whose children may be disks */
  guint disk_depth;    /* of one that may be a disk, and which contains: */
  GPtrArray *values;   /* char * */
  Part part;
  gboolean has_driver, has_source, is_raw, is_device;
  char *pool, *volume;
} Scan;

static void
scan_clear (Scan *scan)
{
  g_clear_pointer (&scan->values, g_ptr_array_unref);
  g_clear_pointer (&scan->pool, g_free);
  g_clear_pointer (&scan->volume, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scan, scan_clear)

/* @is_device: it is a <disk> of a domain, which may be given as a volume. */
static void
begin_disk (Scan *scan, guint depth, gboolean is_device)
{
  scan->disk_depth = depth;
  scan->part = IN_NOTHING;
  scan->has_driver = scan->has_source = scan->is_raw = FALSE;
  scan->is_device = is_device;
  g_ptr_array_set_size (scan->values, 0);
  g_clear_pointer (&scan->pool, g_free);
  g_clear_pointer (&scan->volume, g_free);
}

static void
begin_part (Scan *scan, const char *uri, const char *name)
{
  scan->part = IN_NOTHING;
  if (uri == NULL && !scan->has_driver && strcmp (name, "driver") == 0)
    {
      scan->has_driver = TRUE;
      scan->part = IN_DRIVER;
    }
  else if (uri == NULL && !scan->has_source && strcmp (name, "source") == 0)
    {
      scan->has_source = TRUE;
      scan->part = IN_SOURCE;
    }
}

/* A child of a domain. Everything that may be a disk is found; logs and similar files are
 * written by guests and may look like anything. */
static void
begin_domain_child (Scan *scan, guint depth, const char *uri, const char *name)
{
  if (strcmp (name, "metadata") == 0)
    scan->skipped_depth = depth;
  else if (uri == NULL && strcmp (name, "devices") == 0)
    scan->list_depth = depth;
  else if (g_strcmp0 (uri, QEMU_URI) == 0 && strcmp (name, "commandline") == 0)
    begin_disk (scan, depth, FALSE);
}

static void
begin_snapshot_child (Scan *scan, guint depth, const char *uri, const char *name)
{
  if (uri == NULL && strcmp (name, "disks") == 0)
    scan->list_depth = depth;
  else if (uri == NULL && (strcmp (name, "domain") == 0 || strcmp (name, "inactiveDomain") == 0))
    {
      scan->in_domain = TRUE;
      scan->domain_depth = depth;
    }
}

static gboolean
scan_begin (gpointer data, guint depth, const char *uri, const char *name, GError **error)
{
  Scan *scan = data;
  if (depth == 0)
    {
      scan->is_snapshot = uri == NULL && strcmp (name, "domainsnapshot") == 0;
      scan->in_domain = !scan->is_snapshot;
    }
  else if (scan->skipped_depth > 0)
    return TRUE;
  else if (scan->disk_depth > 0)
    {
      if (depth == scan->disk_depth + 1)
        begin_part (scan, uri, name);
    }
  else if (scan->in_domain && depth == scan->domain_depth + 1)
    begin_domain_child (scan, depth, uri, name);
  else if (scan->list_depth > 0 && depth == scan->list_depth + 1 && uri == NULL
           && (strcmp (name, "disk") == 0 || (scan->in_domain && strcmp (name, "filesystem") == 0)))
    begin_disk (scan, depth, scan->in_domain && strcmp (name, "disk") == 0);
  else if (scan->is_snapshot && depth == 1)
    begin_snapshot_child (scan, depth, uri, name);
  return TRUE;
}

static void
note_disk_value (Scan *scan, guint depth, const char *attribute, const char *value)
{
  g_ptr_array_add (scan->values, g_strdup (value));
  if (depth != scan->disk_depth + 1 || attribute == NULL)
    return;
  /* What a guest writes to a raw disk is not to be read as an image format. */
  if (scan->part == IN_DRIVER && strcmp (attribute, "type") == 0)
    scan->is_raw = strcmp (value, "raw") == 0;
  else if (scan->part == IN_SOURCE && strcmp (attribute, "pool") == 0 && scan->pool == NULL)
    scan->pool = g_strdup (value);
  else if (scan->part == IN_SOURCE && strcmp (attribute, "volume") == 0 && scan->volume == NULL)
    scan->volume = g_strdup (value);
}

static gboolean
scan_value (gpointer data, guint depth, const char *attribute, const char *value, GError **error)
{
  Scan *scan = data;
  const LmFileVisitor *visitor = scan->visit->visitor;
  if (scan->skipped_depth > 0)
    return TRUE;
  if (scan->disk_depth > 0)
    {
      note_disk_value (scan, depth, attribute, value);
      return TRUE;
    }
  return !scan->in_domain || visitor->use (visitor->data, scan->user, value, FALSE, error);
}

/* Visits a disk that is given as a volume, whose path is determined from the pool. */
static gboolean
visit_volume (Scan *scan, GError **error)
{
  const LmFileVisitor *visitor = scan->visit->visitor;
  g_autoptr (GError) failure = NULL;
  const char *dir = find_pool (scan->visit, scan->pool, &failure);
  if (dir == NULL)
    return visitor->unknown (visitor->data, scan->user->text, failure, error);
  g_autofree char *file = g_build_filename (dir, scan->volume, NULL);
  return *dir == '\0' || visitor->use (visitor->data, scan->user, file, !scan->is_raw, error);
}

static gboolean
visit_disk (Scan *scan, GError **error)
{
  const LmFileVisitor *visitor = scan->visit->visitor;
  for (guint i = 0; i < scan->values->len; i++)
    if (!visitor->use (visitor->data, scan->user, g_ptr_array_index (scan->values, i), !scan->is_raw, error))
      return FALSE;
  return !scan->is_device || scan->pool == NULL || scan->volume == NULL || visit_volume (scan, error);
}

static gboolean
scan_end (gpointer data, guint depth, GError **error)
{
  Scan *scan = data;
  if (depth == 0)
    return TRUE;
  if (depth == scan->skipped_depth)
    scan->skipped_depth = 0;
  else if (depth == scan->list_depth)
    scan->list_depth = 0;
  else if (scan->is_snapshot && depth == scan->domain_depth)
    {
      scan->domain_depth = 0;
      scan->in_domain = FALSE;
    }
  else if (scan->disk_depth > 0 && depth == scan->disk_depth + 1)
    scan->part = IN_NOTHING;
  else if (depth == scan->disk_depth)
    {
      scan->disk_depth = 0;
      return visit_disk (scan, error);
    }
  return TRUE;
}

static gboolean
visit_xml (Visit *visit, const char *text, const LmFileUser *user, GError **error)
{
  g_auto (Scan) scan = { .visit = visit, .user = user, .values = g_ptr_array_new_with_free_func (g_free) };
  const LmXmlVisitor reader = { &scan, scan_begin, scan_value, scan_end };
  g_autoptr (GError) failure = NULL;
  if (lm_xml_visit (text, strlen (text), user->text, &reader, &failure))
    return TRUE;
  if (failure->domain == LM_XML_ERROR)
    return visit->visitor->unknown (visit->visitor->data, user->text, failure, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
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
  g_autofree char *what = g_strdup_printf ("the machine %s", uuid);
  if (names == NULL)
    return g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
           || visitor->unknown (visitor->data, what, failure, error);
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
           || visitor->unknown (visitor->data, "a machine", failure, error);
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      if (g_uuid_string_is_valid (name) && !visit_directory (scope, name, visitor, error))
        return FALSE;
    }
  return TRUE;
}

/* Returns the path of the file to be read, without a symbolic link at its end, and *out_st for
 * it; NULL without an error if there is none, also not for QEMU. One that only this user cannot
 * reach may refer to anything. */
static char *
resolve_disk (const char *path, struct stat *out_st, GError **error)
{
  const gboolean found = lstat (path, out_st) == 0;
  if (found && !S_ISLNK (out_st->st_mode))
    return g_strdup (path);
  if (!found && errno == ENOENT)
    return NULL;
  char *real = realpath (path, NULL);
  if (real == NULL && errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG && errno != ELOOP)
    return lm_throw_errno_null (error, "cannot find %s", path);
  char *copy = real != NULL && stat (real, out_st) == 0 ? g_strdup (real) : NULL;
  free (real);
  return copy;
}

GPtrArray *
lm_file_users_list_references (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  struct stat st;
  g_autofree char *where = resolve_disk (path, &st, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  /* Opening a character device or a FIFO may have side effects. */
  if (where == NULL || (!S_ISREG (st.st_mode) && !S_ISBLK (st.st_mode)))
    return g_ptr_array_new ();
  GPtrArray *names = lm_image_list_references (where, strcmp (where, path) != 0 ? path : NULL, cancellable, &failure);
  if (names != NULL)
    return names;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return g_ptr_array_new ();
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}
