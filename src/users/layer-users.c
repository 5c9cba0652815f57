/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "users/layer-users.h"
#include "base/error.h"
#include "cache/database.h"
#include "image/qcow2.h"
#include "users/file-users.h"
#include "virt/domain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MARK "sha256-"
#define HEX_DIGITS (2 * LM_DIGEST_SIZE)

static const LmBlobKind kinds[] = { LM_BLOB_LAYER, LM_BLOB_FILE };
static const char *const suffixes[] = { [LM_BLOB_LAYER] = ".qcow2", [LM_BLOB_FILE] = NULL };

/* The search for users. */
typedef struct
{
  const LmUsersScope *scope;
  LmCache *cache;
  GCancellable *cancellable;
  LmLayerUsers *result;
  GHashTable *by_digest[LM_BLOB_N_KINDS]; /* LmDigest -> LmLayerUse */
  GHashTable *by_identity; /* LmIdentity, device and inode -> LmLayerUse */
  GHashTable *by_path;     /* char * -> LmLayerUse, NULL: it is none of them */
  GHashTable *references;  /* char *, disk -> GPtrArray of char * */
  GHashTable *machines;    /* char *, UUID -> LmLayerUser */
  GHashTable *seen;        /* LmLayerUser -> set of LmLayerUse that it refers to itself */
  GPtrArray *dirs;         /* char *: prefixes of the paths of cached files, ending in a slash */
  LmLayerUser *current;    /* the user that is being visited */
} Search;

static void
use_free (LmLayerUse *use)
{
  g_ptr_array_unref (use->children);
  g_ptr_array_unref (use->users);
  g_free (use);
}

void
lm_layer_users_free (LmLayerUsers *users)
{
  if (users == NULL)
    return;
  g_ptr_array_unref (users->files);
  g_ptr_array_unref (users->users);
  g_ptr_array_unref (users->unknown);
  g_ptr_array_unref (users->entries);
  g_free (users);
}

static guint
hash_identity (gconstpointer key)
{
  const LmIdentity *identity = key;
  return (guint) (identity->inode ^ (identity->inode >> 32) ^ identity->device);
}

static gboolean
is_same_file (gconstpointer a, gconstpointer b)
{
  const LmIdentity *one = a, *other = b;
  return one->inode == other->inode && one->device == other->device;
}

static void
search_clear (Search *search)
{
  for (guint i = 0; i < LM_BLOB_N_KINDS; i++)
    g_clear_pointer (&search->by_digest[i], g_hash_table_unref);
  g_clear_pointer (&search->by_identity, g_hash_table_unref);
  g_clear_pointer (&search->by_path, g_hash_table_unref);
  g_clear_pointer (&search->references, g_hash_table_unref);
  g_clear_pointer (&search->machines, g_hash_table_unref);
  g_clear_pointer (&search->seen, g_hash_table_unref);
  g_clear_pointer (&search->dirs, g_ptr_array_unref);
  lm_layer_users_free (search->result);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Search, search_clear)

/* The directories of the cache, by the path that was given and by the real one. */
static void
add_dirs (Search *search)
{
  char *real = realpath (lm_cache_get_dir (search->cache), NULL);
  const char *const tops[] = { lm_cache_get_dir (search->cache), real };
  for (gsize i = 0; i < G_N_ELEMENTS (tops); i++)
    for (gsize kind = 0; tops[i] != NULL && kind < G_N_ELEMENTS (kinds); kind++)
      {
        const LmDigest any = { { 0 } };
        g_autofree char *relative = lm_cache_relative_path (kinds[kind], &any);
        g_autofree char *dir = g_path_get_dirname (relative);
        g_ptr_array_add (search->dirs, g_strconcat (tops[i], "/", dir, "/", NULL));
      }
  free (real);
}

static gboolean
search_init (Search *search, GError **error)
{
  LmLayerUsers *result = search->result = g_new0 (LmLayerUsers, 1);
  result->files = g_ptr_array_new_with_free_func ((GDestroyNotify) use_free);
  result->users = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_user_free);
  result->unknown = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < LM_BLOB_N_KINDS; i++)
    search->by_digest[i] = g_hash_table_new (lm_digest_hash, lm_digest_equal_func);
  search->by_identity = g_hash_table_new (hash_identity, is_same_file);
  search->by_path = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  search->references = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  search->machines = g_hash_table_new (g_str_hash, g_str_equal);
  search->seen = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_hash_table_unref);
  search->dirs = g_ptr_array_new_with_free_func (g_free);
  result->entries = lm_cache_list (search->cache, error);
  if (result->entries == NULL)
    {
      result->entries = g_ptr_array_new ();
      return FALSE;
    }
  for (guint i = 0; i < result->entries->len; i++)
    {
      LmCacheEntry *entry = g_ptr_array_index (result->entries, i);
      LmLayerUse *use = g_new0 (LmLayerUse, 1);
      use->entry = entry;
      use->index = i;
      use->children = g_ptr_array_new ();
      use->users = g_ptr_array_new ();
      g_ptr_array_add (result->files, use);
      g_hash_table_insert (search->by_digest[entry->kind], &entry->digest, use);
      g_hash_table_insert (search->by_identity, &entry->identity, use);
    }
  add_dirs (search);
  return TRUE;
}

static LmLayerUser *
add_user (Search *search, LmLayerUserKind kind, const char *name, const char *uuid, const char *uri)
{
  LmLayerUser *user = lm_layer_user_new (kind, name, uuid, uri);
  g_ptr_array_add (search->result->users, user);
  g_hash_table_insert (search->seen, user, g_hash_table_new (NULL, NULL));
  return user;
}

static void
add_use (Search *search, LmLayerUser *user, LmLayerUse *use)
{
  if (use != NULL)
    g_hash_table_add (g_hash_table_lookup (search->seen, user), use);
}

static void
add_use_of_blob (Search *search, LmLayerUser *user, const LmBlob *blob)
{
  if (blob != NULL)
    add_use (search, user, g_hash_table_lookup (search->by_digest[blob->kind], &blob->digest));
}

static void
add_machine (Search *search, const LmMachine *machine)
{
  LmLayerUser *user = add_user (search, LM_LAYER_USER_MACHINE, machine->name, machine->uuid, machine->uri);
  user->state = machine->state == LM_MACHINE_STATE_REPLACED   ? "replaced"
                : machine->state != LM_MACHINE_STATE_COMPLETE ? "incomplete"
                                                              : "unknown";
  user->recorded = g_strdup (machine->name);
  user->transient = machine->transient;
  g_hash_table_insert (search->machines, user->uuid, user);
  for (guint i = 0; i < machine->layers->len; i++)
    add_use_of_blob (search, user, &((LmDomainLayer *) g_ptr_array_index (machine->layers, i))->blob);
  add_use_of_blob (search, user, machine->kernel_blob);
  add_use_of_blob (search, user, machine->initrd_blob);
}

/* Adds uses by text that is not a path, such as an argument for QEMU that contains one. */
static void
add_uses_in_text (Search *search, LmLayerUser *user, const char *text)
{
  for (const char *at = strstr (text, NAME_MARK); at != NULL; at = strstr (at + 1, NAME_MARK))
    {
      LmDigest digest;
      g_autofree char *name = g_strndup (at, strlen (NAME_MARK) + HEX_DIGITS);
      if (lm_digest_from_file_name (name, NULL, &digest))
        for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
          add_use (search, user, g_hash_table_lookup (search->by_digest[kinds[i]], &digest));
    }
}

/* Finds the file of the cache with the name of @path, without looking at the disk. */
static gboolean
find_by_name (const Search *search, const char *path, LmLayerUse **out_use)
{
  for (guint i = 0; i < search->dirs->len; i++)
    {
      const char *dir = g_ptr_array_index (search->dirs, i);
      const LmBlobKind kind = kinds[i % G_N_ELEMENTS (kinds)];
      LmDigest digest;
      if (g_str_has_prefix (path, dir) && lm_digest_from_file_name (path + strlen (dir), suffixes[kind], &digest))
        {
          *out_use = g_hash_table_lookup (search->by_digest[kind], &digest);
          return TRUE;
        }
    }
  return FALSE;
}

/* Sets *out_use to the file of the cache that @path leads to; NULL if it is none of
 * them, or cannot be reached. */
static gboolean
find_by_path (Search *search, const char *path, LmLayerUse **out_use, GError **error)
{
  struct stat st;
  gpointer known;
  if (find_by_name (search, path, out_use))
    return TRUE;
  if (g_hash_table_lookup_extended (search->by_path, path, NULL, &known))
    {
      *out_use = known;
      return TRUE;
    }
  *out_use = NULL;
  if (stat (path, &st) == 0)
    {
      const LmIdentity identity = lm_identity_of (&st);
      *out_use = g_hash_table_lookup (search->by_identity, &identity);
    }
  else if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ENAMETOOLONG && errno != ELOOP)
    return lm_throw_errno (error, "cannot stat %s", path);
  g_hash_table_insert (search->by_path, g_strdup (path), *out_use);
  return TRUE;
}

/* Returns what the disk @path refers to; owned by @search. */
static const GPtrArray *
get_references (Search *search, const char *path, GError **error)
{
  GPtrArray *names = g_hash_table_lookup (search->references, path);
  if (names == NULL && (names = lm_file_users_list_references (path, search->cancellable, error)) != NULL)
    g_hash_table_insert (search->references, g_strdup (path), names);
  return names;
}

/* Adds the file of the cache that @path is; *out_use is NULL if it is none of them. */
static gboolean
add_use_of_path (Search *search, LmLayerUser *user, const char *path, LmLayerUse **out_use, GError **error)
{
  *out_use = NULL;
  if (path[0] != '/')
    add_uses_in_text (search, user, path);
  else if (!find_by_path (search, path, out_use, error))
    return FALSE;
  add_use (search, user, *out_use);
  return TRUE;
}

/* Adds the files of the cache to which the disk @path, which is none of them, leads. The
 * parents of layers are known otherwise. */
static gboolean
add_uses_of_disk (Search *search, LmLayerUser *user, const char *path, GError **error)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) done = g_hash_table_new (g_str_hash, g_str_equal);
  g_ptr_array_add (paths, g_strdup (path));
  for (guint i = 0; i < paths->len; i++)
    {
      const char *now = g_ptr_array_index (paths, i);
      LmLayerUse *use = NULL;
      if (i > 0 && !add_use_of_path (search, user, now, &use, error))
        return FALSE;
      if (now[0] != '/' || use != NULL || !g_hash_table_add (done, (gpointer) now))
        continue;
      const GPtrArray *names = get_references (search, now, error);
      if (names == NULL)
        return FALSE;
      for (guint j = 0; j < names->len; j++)
        g_ptr_array_add (paths, g_strdup (g_ptr_array_index (names, j)));
    }
  return TRUE;
}

/* Adds the files of the cache that @path is or, if it is a disk, leads to through its
 * backing files. Most are no paths but other values, so for these nothing is allocated. */
static gboolean
add_uses_of_path (Search *search, LmLayerUser *user, const char *path, gboolean is_disk, GError **error)
{
  LmLayerUse *use;
  return add_use_of_path (search, user, path, &use, error)
         && (use != NULL || !is_disk || path[0] != '/' || add_uses_of_disk (search, user, path, error));
}

/* Finds or adds the user that @from is. */
static gboolean
begin_user (gpointer data, const LmFileUser *from)
{
  Search *search = data;
  LmLayerUser *machine = g_hash_table_lookup (search->machines, from->uuid);
  if (from->domain == NULL)
    {
      if (machine == NULL)
        {
          g_autofree char *dir = g_build_filename (search->scope->state_dir, "machines", from->uuid, NULL);
          machine = add_user (search, LM_LAYER_USER_DISK, dir, from->uuid, NULL);
          g_hash_table_insert (search->machines, machine->uuid, machine);
        }
      search->current = machine;
      return FALSE;
    }
  if (machine == NULL || g_strcmp0 (machine->uri, from->uri) != 0)
    machine = add_user (search, LM_LAYER_USER_DOMAIN, from->domain->name, from->uuid, from->uri);
  g_free (machine->name);
  machine->name = g_strdup (from->domain->name);
  machine->state = from->domain->state;
  machine->transient = from->domain->transient;
  machine->snapshots = from->domain->snapshots;
  search->current = machine;
  return FALSE;
}

/* Notes @text, which is freed, unless the search was cancelled. */
static gboolean
note_cause (Search *search, char *text, const GError *cause, GError **error)
{
  if (!g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_ptr_array_add (search->result->unknown, text);
      return TRUE;
    }
  g_free (text);
  g_propagate_error (error, g_error_copy (cause));
  return FALSE;
}

/* The message names the connection. */
static gboolean
note_unreachable (gpointer data, const char *uri, const GError *cause, GError **error)
{
  return note_cause (data, g_strdup (cause->message), cause, error);
}

static gboolean
note_unknown (gpointer data, const char *what, const GError *cause, GError **error)
{
  return note_cause (data, g_strdup_printf ("%s: %s", what, cause->message), cause, error);
}

static gboolean
visit_use (gpointer data, const LmFileUser *from, const char *path, gboolean is_disk, GError **error)
{
  Search *search = data;
  g_autoptr (GError) failure = NULL;
  return add_uses_of_path (search, search->current, path, is_disk, &failure)
         || note_unknown (search, from->text, failure, error);
}

/* Machines whose connection was asked and whose domain was not there have none, unless it
 * was defined after the domains were listed. */
static void
note_missing_domains (Search *search, LmVirt *virt)
{
  for (guint i = 0; i < search->result->users->len; i++)
    {
      LmLayerUser *user = g_ptr_array_index (search->result->users, i);
      g_autoptr (GError) failure = NULL;
      if (user->kind != LM_LAYER_USER_MACHINE || g_strcmp0 (user->uri, lm_virt_uri (virt)) != 0
          || g_strcmp0 (user->state, "unknown") != 0)
        continue;
      g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (virt, user->uuid, &failure);
      if (domain == NULL && g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
        user->state = "no domain";
    }
}

/* Visits the domains of one connection, which @reader opens with @uri. */
static gboolean
ask_connection (Search *search, LmVirtReader *reader, const char *uri, GError **error)
{
  const LmFileVisitor visitor = { search, begin_user, visit_use, note_unknown, note_unreachable };
  guint before = search->result->unknown->len;
  if (!lm_file_users_visit_domains (reader, uri, &visitor, error))
    return FALSE;
  if (search->result->unknown->len == before)
    note_missing_domains (search, lm_virt_reader_get_connection (reader, NULL));
  return TRUE;
}

static GPtrArray *
add_machines (Search *search, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  GPtrArray *machines = lm_machine_list (search->scope->state_dir, warnings, error);
  for (guint i = 0; i < warnings->len; i++)
    search->scope->warning (search->scope->user_data, g_ptr_array_index (warnings, i));
  for (guint i = 0; machines != NULL && i < machines->len; i++)
    add_machine (search, g_ptr_array_index (machines, i));
  return machines;
}

/* Asks all connections and looks at all directories. */
static gboolean
find_users (Search *search, LmVirtReader *reader, GError **error)
{
  const LmFileVisitor visitor = { search, begin_user, visit_use, note_unknown, note_unreachable };
  g_autoptr (GPtrArray) machines = add_machines (search, error);
  /* The directories first, because libvirt has not answered yet. */
  if (machines == NULL || !lm_file_users_visit_directories (search->scope, &visitor, error)
      || !ask_connection (search, reader, search->scope->uri, error))
    return FALSE;
  LmVirt *virt = lm_virt_reader_get_connection (reader, NULL);
  g_autoptr (GPtrArray) uris = lm_file_users_list_uris (search->scope, virt, machines);
  for (guint i = 0; i < uris->len; i++)
    {
      const char *uri = g_ptr_array_index (uris, i);
      g_autoptr (LmVirtReader) other = lm_virt_reader_new (NULL, uri, &search->scope->libvirt);
      if (!ask_connection (search, other, uri, error))
        return FALSE;
    }
  return TRUE;
}

/* Reads the parents of layers from their headers; runs in a thread, while domains are
 * visited. Returns a GPtrArray of char *: what could not be read. */
static gpointer
read_parents (gpointer data)
{
  const Search *search = data;
  const LmLayerUsers *result = search->result;
  GPtrArray *failures = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < result->files->len; i++)
    {
      LmLayerUse *use = g_ptr_array_index (result->files, i);
      LmQcow2Header header;
      g_autoptr (GError) failure = NULL;
      if (use->entry->kind != LM_BLOB_LAYER)
        continue;
      if (lm_qcow2_read (use->entry->path, &header, NULL, &failure))
        use->has_parent = lm_digest_from_file_name (header.backing_name, suffixes[LM_BLOB_LAYER], &use->parent_digest);
      /* A damaged layer, or one that has been deleted meanwhile, needs no parent. */
      else if (failure->domain != LM_IMAGE_ERROR && !g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        g_ptr_array_add (failures, g_strdup (failure->message));
    }
  if (search->scope->listed != NULL)
    search->scope->listed (search->scope->listed_data, result->entries);
  return failures;
}

static void
link_parents (const Search *search)
{
  for (guint i = 0; i < search->result->files->len; i++)
    {
      LmLayerUse *use = g_ptr_array_index (search->result->files, i);
      use->parent = use->has_parent ? g_hash_table_lookup (search->by_digest[LM_BLOB_LAYER], &use->parent_digest) : NULL;
      if (use->parent != NULL)
        g_ptr_array_add (use->parent->children, use);
    }
}

/* Adds each user to the files that it refers to, and to the layers below them. */
static void
add_users_to_files (const Search *search)
{
  for (guint i = 0; i < search->result->users->len; i++)
    {
      LmLayerUser *user = g_ptr_array_index (search->result->users, i);
      g_autoptr (GHashTable) added = g_hash_table_new (NULL, NULL);
      GHashTableIter iter;
      gpointer key;
      g_hash_table_iter_init (&iter, g_hash_table_lookup (search->seen, user));
      while (g_hash_table_iter_next (&iter, &key, NULL))
        for (LmLayerUse *use = key; use != NULL && g_hash_table_add (added, use); use = use->parent)
          g_ptr_array_add (use->users, user);
    }
}

/* Foreign domains and lost disks that use no file of the cache are of no interest. */
static void
remove_other_users (const Search *search)
{
  GPtrArray *users = search->result->users;
  for (guint i = users->len; i > 0; i--)
    {
      const LmLayerUser *user = g_ptr_array_index (users, i - 1);
      if (user->kind != LM_LAYER_USER_MACHINE
          && g_hash_table_size (g_hash_table_lookup (search->seen, user)) == 0)
        g_ptr_array_remove_index (users, i - 1);
    }
}

/* Notes that this user may not read @what, if that is what @failure says; otherwise it becomes
 * @error. Frees @failure. */
static gboolean
note_denied (LmLayerUsers *users, const char *what, GError *failure, GError **error)
{
  const gboolean denied = g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  if (denied)
    g_ptr_array_add (users->unknown, g_strdup_printf ("%s: %s", what, failure->message));
  else
    g_propagate_error (error, g_error_copy (failure));
  g_error_free (failure);
  return denied;
}

static gboolean
add_leases (const Search *search, GError **error)
{
  if (lm_cache_get_fd (search->cache) < 0)
    return TRUE;
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmLock) leases = lm_cache_open_leases (search->cache, &failure);
  if (leases == NULL)
    return note_denied (search->result, "lamina processes at work", g_steal_pointer (&failure), error);
  /* Usually there are none. */
  const gboolean any = lm_lock_table_is_in_use (leases);
  for (guint i = 0; any && i < search->result->files->len; i++)
    {
      LmLayerUse *use = g_ptr_array_index (search->result->files, i);
      use->leased = lm_lock_table_is_locked (leases, lm_digest_get_number (&use->entry->digest));
    }
  return TRUE;
}

static gboolean
add_notes (const Search *search, GError **error)
{
  const LmUsersScope *scope = search->scope;
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmDatabase) database = lm_database_open_readonly (scope->state_dir, warnings, error);
  g_autoptr (GHashTable) uses = database != NULL ? lm_database_list_uses (database, error) : NULL;
  g_autoptr (GHashTable) pins = uses != NULL ? lm_database_list_pins (database, error) : NULL;
  for (guint i = 0; i < warnings->len; i++)
    scope->warning (scope->user_data, g_ptr_array_index (warnings, i));
  search->result->without_notes = database != NULL && lm_database_is_hidden (database);
  if (search->result->without_notes)
    g_ptr_array_add (search->result->unknown, g_strdup_printf ("pins: %s/lamina.db: Permission denied", scope->state_dir));
  for (guint i = 0; pins != NULL && i < search->result->files->len; i++)
    {
      LmLayerUse *use = g_ptr_array_index (search->result->files, i);
      const gint64 *used = g_hash_table_lookup (uses, &use->entry->digest);
      /* A clock that was wrong must not protect a file for years. */
      use->used = used != NULL ? MIN (*used, now) : 0;
      use->pinned = g_hash_table_contains (pins, &use->entry->digest);
    }
  return pins != NULL;
}

LmLayerUsers *
lm_layer_users_collect (const LmUsersScope *scope, LmVirt *virt, LmCache *cache, GCancellable *cancellable, GError **error)
{
  g_auto (Search) search = { .scope = scope, .cache = cache, .cancellable = cancellable };
  /* libvirt needs the most time, so it begins now. A machine that appears after this has a
   * record, which is read later. */
  g_autoptr (LmVirtReader) domains = lm_virt_reader_new (virt, scope->uri, &scope->libvirt);
  if (!search_init (&search, error))
    return NULL;
  /* Leases first: who releases one later has a record by then, which is read later. */
  if (!add_leases (&search, error) || !add_notes (&search, error))
    return NULL;
  GThread *reader = g_thread_try_new ("headers", read_parents, &search, NULL);
  gboolean ok = find_users (&search, domains, error);
  g_autoptr (GPtrArray) failures = reader != NULL ? g_thread_join (reader) : read_parents (&search);
  if (!ok)
    return NULL;
  g_ptr_array_extend_and_steal (search.result->unknown, g_steal_pointer (&failures));
  link_parents (&search);
  add_users_to_files (&search);
  remove_other_users (&search);
  return g_steal_pointer (&search.result);
}

GPtrArray *
lm_layer_users_list (LmLayerUsers *users, LmCache *cache, GPtrArray *(*list) (LmCache *cache, GError **error),
                     const char *what, GError **error)
{
  GError *failure = NULL;
  GPtrArray *entries = list (cache, &failure);
  return entries != NULL || !note_denied (users, what, failure, error) ? entries : g_ptr_array_new ();
}

gint64
lm_layer_use_get_time (const LmLayerUse *use)
{
  return MAX (use->used, use->entry->mtime);
}

void
lm_layer_use_users_to_json (const LmLayerUse *use, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "users");
  json_builder_begin_array (builder);
  for (guint i = 0; i < use->users->len; i++)
    lm_layer_user_to_json (g_ptr_array_index (use->users, i), builder);
  json_builder_end_array (builder);
}
