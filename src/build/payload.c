/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/payload.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hasher.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_ITEMS 100000
#define MAX_DEPTH 64
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static void
item_free (gpointer data)
{
  LmPayloadItem *item = data;
  g_free (item->to);
  g_free (item->from);
  g_free (item->copy);
  g_free (item);
}

static LmPayloadItem *
add_item (GPtrArray *payload, const char *to, int mode)
{
  LmPayloadItem *item = g_new0 (LmPayloadItem, 1);
  item->to = g_strdup (to);
  item->mode = mode;
  g_ptr_array_add (payload, item);
  return item;
}

/* ---- opening */

static gboolean
check_type (const struct stat *st, const char *shown, GError **error)
{
  return S_ISREG (st->st_mode) || S_ISDIR (st->st_mode)
         || lm_throw (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "%s is neither a file nor a directory; let a command make it", shown);
}

/* Opens the file or directory @name in the directory @dir; @flags: 0, or O_NOFOLLOW. It is looked at before, because opening
 * a device can have effects, and after, because others may have replaced it. */
static int
open_entry (int dir, const char *name, int flags, const char *shown, struct stat *out_st, GError **error)
{
  if (fstatat (dir, name, out_st, flags == O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0) < 0)
    {
      (void) lm_throw_errno (error, "cannot examine %s", shown);
      return -1;
    }
  if (!check_type (out_st, shown, error))
    return -1;
  lm_autofd int fd = openat (dir, name, OPEN_FLAGS | flags);
  if (fd < 0 || fstat (fd, out_st) < 0)
    {
      (void) lm_throw_errno (error, "cannot read %s", shown);
      return -1;
    }
  return check_type (out_st, shown, error) ? lm_fd_steal (&fd) : -1;
}

/* Opens the file of @item again. Below what the recipe names nothing is followed: others may be able to put links there. */
static int
open_item (const LmPayloadItem *item, GError **error)
{
  g_autofree char *named = g_strndup (item->from, item->named);
  g_auto (GStrv) below = g_strsplit (item->from + item->named, "/", -1);
  struct stat st;
  lm_autofd int fd = open_entry (AT_FDCWD, named, 0, named, &st, error);
  for (char **name = below; fd >= 0 && *name != NULL; name++)
    {
      const int next = **name != '\0' ? open_entry (fd, *name, O_NOFOLLOW, item->from, &st, error) : lm_fd_steal (&fd);
      lm_fd_clear (&fd);
      fd = next;
    }
  if (fd < 0 || S_ISREG (st.st_mode))
    return lm_fd_steal (&fd);
  (void) lm_throw (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "%s is not a file any more", item->from);
  return -1;
}

/* ---- reading */

typedef struct
{
  GPtrArray *payload;
  gsize named; /* length of the path that the recipe names */
  GCancellable *cancellable;
} Walk;

/* Where the bytes of a file go. */
typedef struct
{
  LmHasher *hasher;
  guint64 size;
  guint64 most; /* of @size */
  int to;       /* a file; -1: none */
  const char *path; /* of that */
} Sink;

static gboolean
take_block (gpointer data, const void *block, gsize size, GError **error)
{
  Sink *sink = data;
  sink->size += size;
  if (sink->size > sink->most)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_BUSY, "it grows");
  lm_hasher_update (sink->hasher, block, size);
  if (sink->to < 0 || lm_fd_write_all (sink->to, block, size, error))
    return TRUE;
  g_prefix_error (error, "%s: ", sink->path);
  return FALSE;
}

static gboolean
add_file (Walk *walk, int fd, const char *from, const char *to, int mode, GError **error)
{
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  Sink sink = { .hasher = hasher, .most = G_MAXUINT64, .to = -1 };
  LmPayloadItem *item = add_item (walk->payload, to, mode);
  item->from = g_strdup (from);
  item->named = walk->named;
  if (!lm_fd_read_blocks (fd, take_block, &sink, walk->cancellable, error))
    {
      g_prefix_error (error, "cannot read %s: ", from);
      return FALSE;
    }
  item->size = sink.size;
  lm_hasher_peek (hasher, &item->digest);
  return TRUE;
}

static gboolean add_entry (Walk *walk, int fd, const struct stat *st, const char *from, const char *to, int mode, guint depth, GError **error);

static gboolean
add_dir (Walk *walk, int fd, const char *from, const char *to, int mode, guint depth, GError **error)
{
  g_autoptr (GPtrArray) names = lm_file_list_fd (openat (fd, ".", OPEN_FLAGS | O_DIRECTORY), from, error);
  if (names == NULL)
    return FALSE;
  if (depth >= MAX_DEPTH)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG, "%s: directories are nested too deeply", from);
  add_item (walk->payload, to, mode)->is_dir = TRUE;
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *path = g_build_filename (from, name, NULL), *target = g_build_filename (to, name, NULL);
      struct stat st;
      /* The appliance is told in JSON what to do. */
      if (!g_utf8_validate (name, -1, NULL))
        return lm_throw (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME, "%s: a name in this directory is not UTF-8; make an archive of it",
                         from);
      lm_autofd int entry = open_entry (fd, name, O_NOFOLLOW, path, &st, error);
      if (entry < 0 || !add_entry (walk, entry, &st, path, target, (int) st.st_mode & 0777, depth + 1, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_entry (Walk *walk, int fd, const struct stat *st, const char *from, const char *to, int mode, guint depth, GError **error)
{
  if (walk->payload->len >= MAX_ITEMS)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, "%s: more than %d files; make an archive of them", from, MAX_ITEMS);
  return S_ISDIR (st->st_mode) ? add_dir (walk, fd, from, to, mode, depth, error) : add_file (walk, fd, from, to, mode, error);
}

static void
add_content (GPtrArray *payload, const LmRecipeFile *file)
{
  LmPayloadItem *item = add_item (payload, file->to, file->mode >= 0 ? file->mode : 0644);
  gsize size;
  const void *data = g_bytes_get_data (file->content, &size);
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  lm_hasher_update (hasher, data, size);
  lm_hasher_peek (hasher, &item->digest);
  item->content = file->content;
  item->size = size;
}

GPtrArray *
lm_payload_read (const LmRecipe *recipe, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) payload = g_ptr_array_new_with_free_func (item_free);
  for (guint i = 0; i < recipe->files->len; i++)
    {
      const LmRecipeFile *file = g_ptr_array_index (recipe->files, i);
      struct stat st;
      if (file->from == NULL)
        {
          add_content (payload, file);
          continue;
        }
      Walk walk = { payload, strlen (file->from), cancellable };
      lm_autofd int fd = open_entry (AT_FDCWD, file->from, 0, file->from, &st, error);
      if (fd < 0 || !add_entry (&walk, fd, &st, file->from, file->to, file->mode >= 0 ? file->mode : (int) st.st_mode & 0777, 0, error))
        {
          g_prefix_error (error, "%s: ", recipe->path);
          return NULL;
        }
    }
  return g_steal_pointer (&payload);
}

/* ---- copying */

/* Copies the file of @item to @to, a new file. */
static gboolean
copy_file (const LmPayloadItem *item, const char *to, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  g_autoptr (GError) failure = NULL;
  LmDigest digest;
  lm_autofd int from = open_item (item, error);
  if (from < 0)
    return FALSE;
  lm_autofd int fd = open (to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return lm_throw_errno (error, "cannot create %s", to);
  Sink sink = { .hasher = hasher, .most = item->size, .to = fd, .path = to };
  const gboolean copied = lm_fd_read_blocks (from, take_block, &sink, cancellable, &failure);
  if (!copied && !g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_BUSY))
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), "cannot copy %s: ", item->from);
      return FALSE;
    }
  lm_hasher_peek (hasher, &digest);
  return (copied && lm_digest_equal (&digest, &item->digest))
         || lm_throw (error, G_IO_ERROR, G_IO_ERROR_BUSY, "%s was changed after it was read; build again", item->from);
}

gboolean
lm_payload_copy (GPtrArray *payload, const char *dir, GCancellable *cancellable, GError **error)
{
  if (!lm_file_make_dir (dir, 0700, error))
    return FALSE;
  for (guint i = 0; i < payload->len; i++)
    {
      LmPayloadItem *item = g_ptr_array_index (payload, i);
      g_autofree char *name = g_strdup_printf ("%u", i);
      g_free (item->copy);
      item->copy = item->from != NULL ? g_build_filename (dir, name, NULL) : NULL;
      if (item->copy != NULL && !copy_file (item, item->copy, cancellable, error))
        return FALSE;
    }
  return TRUE;
}

/* Each text with its end, so that different lists give different bytes. */
static void
hash_text (LmHasher *hasher, const char *what, const char *text)
{
  lm_hasher_update (hasher, what, strlen (what) + 1);
  if (text != NULL)
    lm_hasher_update (hasher, text, strlen (text) + 1);
}

static void
hash_list (LmHasher *hasher, const char *what, char *const *list)
{
  for (; list != NULL && *list != NULL; list++)
    hash_text (hasher, what, *list);
}

LmDigest
lm_payload_digest (const LmRecipe *recipe, const GPtrArray *payload)
{
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  LmDigest digest;
  hash_text (hasher, "name", recipe->name);
  hash_text (hasher, "version", recipe->version);
  hash_list (hasher, "package", recipe->packages);
  hash_text (hasher, "recommended", recipe->recommended ? "yes" : "no");
  hash_list (hasher, "command", recipe->commands);
  hash_list (hasher, "service", recipe->services);
  if (recipe->on == NULL)
    {
      g_autofree char *disk = g_strdup_printf ("%u %" G_GUINT64_FORMAT, (guint) recipe->boot, recipe->disk);
      hash_text (hasher, "base", disk);
      /* That of a base which boots by itself is on its disk. */
      if (recipe->boot != LM_RECIPE_BOOT_KERNEL && recipe->cmdline != NULL)
        hash_text (hasher, "cmdline", recipe->cmdline);
    }
  for (guint i = 0; i < payload->len; i++)
    {
      const LmPayloadItem *item = g_ptr_array_index (payload, i);
      char text[LM_DIGEST_STRING_SIZE];
      g_autofree char *mode = g_strdup_printf ("%s %o %s", item->is_dir ? "directory" : "file", (guint) item->mode,
                                               lm_digest_format (&item->digest, text));
      hash_text (hasher, mode, item->to);
    }
  lm_hasher_peek (hasher, &digest);
  return digest;
}
