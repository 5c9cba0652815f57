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

static void
item_free (gpointer data)
{
  LmPayloadItem *item = data;
  g_free (item->to);
  g_free (item->from);
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

/* @data: LmHasher and LmPayloadItem */
static gboolean
take_block (gpointer data, const void *block, gsize size, GError **error)
{
  gpointer *both = data;
  LmPayloadItem *item = both[1];
  lm_hasher_update (both[0], block, size);
  item->size += size;
  return TRUE;
}

static gboolean
add_file (GPtrArray *payload, const char *from, const char *to, int mode, GCancellable *cancellable, GError **error)
{
  lm_autofd int fd = open (from, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  if (fd < 0)
    return lm_throw_errno (error, "cannot read %s", from);
  if (payload->len >= MAX_ITEMS)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, "%s: more than %d files; make an archive of them", from, MAX_ITEMS);
  LmPayloadItem *item = add_item (payload, to, mode);
  item->from = g_strdup (from);
  gpointer both[] = { hasher, item };
  if (!lm_fd_read_blocks (fd, take_block, both, cancellable, error))
    return FALSE;
  lm_hasher_peek (hasher, &item->digest);
  return TRUE;
}

static gboolean add_path (GPtrArray *payload, const char *from, const struct stat *st, const char *to, int mode, guint depth,
                          GCancellable *cancellable, GError **error);

static gboolean
add_dir (GPtrArray *payload, const char *from, const char *to, int mode, guint depth, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) names = lm_file_list_dir (from, error);
  if (names == NULL)
    return FALSE;
  if (depth >= MAX_DEPTH)
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_FILENAME_TOO_LONG, "%s: directories are nested too deeply", from);
  add_item (payload, to, mode)->is_dir = TRUE;
  for (guint i = 0; i < names->len; i++)
    {
      struct stat st;
      g_autofree char *path = g_build_filename (from, g_ptr_array_index (names, i), NULL);
      g_autofree char *target = g_build_filename (to, g_ptr_array_index (names, i), NULL);
      if (lstat (path, &st) < 0)
        return lm_throw_errno (error, "cannot examine %s", path);
      if (!add_path (payload, path, &st, target, (int) st.st_mode & 0777, depth + 1, cancellable, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_path (GPtrArray *payload, const char *from, const struct stat *st, const char *to, int mode, guint depth,
          GCancellable *cancellable, GError **error)
{
  if (S_ISREG (st->st_mode))
    return add_file (payload, from, to, mode, cancellable, error);
  if (S_ISDIR (st->st_mode))
    return add_dir (payload, from, to, mode, depth, cancellable, error);
  return lm_throw (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "%s is neither a file nor a directory; let a command make it", from);
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
          LmPayloadItem *item = add_item (payload, file->to, file->mode >= 0 ? file->mode : 0644);
          gsize size;
          const void *data = g_bytes_get_data (file->content, &size);
          g_autoptr (LmHasher) hasher = lm_hasher_new ();
          lm_hasher_update (hasher, data, size);
          lm_hasher_peek (hasher, &item->digest);
          item->content = file->content;
          item->size = size;
          continue;
        }
      if (stat (file->from, &st) < 0)
        return lm_throw_errno_null (error, "%s: cannot read %s", recipe->path, file->from);
      if (!add_path (payload, file->from, &st, file->to, file->mode >= 0 ? file->mode : (int) st.st_mode & 0777, 0, cancellable, error))
        return NULL;
    }
  return g_steal_pointer (&payload);
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
