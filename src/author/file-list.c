/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/file-list.h"
#include "base/error.h"

#include <string.h>

#define DIGEST_DIGITS 64

struct _LmFileList
{
  GPtrArray *texts; /* GBytes in which the entries are */
  GArray *entries;  /* LmFileEntry, ordered by path */
};

void
lm_file_list_free (LmFileList *list)
{
  if (list == NULL)
    return;
  g_array_unref (list->entries);
  g_ptr_array_unref (list->texts);
  g_free (list);
}

static gboolean
throw_invalid (GError **error)
{
  return lm_throw (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the list of files of a guest is not valid");
}

/* Reads the number of @base at *at, which a blank follows, up to @max. */
static gboolean
read_number (const char **at, guint base, guint64 max, guint64 *out_number)
{
  char *end;
  if (!g_ascii_isdigit (**at))
    return FALSE;
  *out_number = g_ascii_strtoull (*at, &end, base);
  if (*end != ' ' || *out_number > max)
    return FALSE;
  *at = end + 1;
  return TRUE;
}

/* Skips the word at *at, which a blank follows. */
static gboolean
read_word (const char **at, const char **out_word)
{
  const char *end = strchr (*at, ' ');
  if (end == NULL || end == *at)
    return FALSE;
  *out_word = *at;
  *at = end + 1;
  return TRUE;
}

/* Reads the entry in @text, which ends with a NUL byte. */
static gboolean
read_entry (const char *text, LmFileEntry *out_entry)
{
  guint64 mode;
  if (*text == '\0' || text[1] != ' ')
    return FALSE;
  LmFileEntry entry = { .type = *text };
  const char *at = text + 2;
  if (!read_number (&at, 8, 07777, &mode) || !read_number (&at, 10, G_MAXUINT32, &entry.uid)
      || !read_number (&at, 10, G_MAXUINT32, &entry.gid) || !read_number (&at, 10, G_MAXINT64, &entry.size)
      || !read_word (&at, &entry.mtime) || !read_word (&at, &entry.ctime) || *at != '/')
    return FALSE;
  entry.mode = (guint) mode;
  entry.path = at;
  *out_entry = entry;
  return TRUE;
}

/* The text in @bytes, which is not NULL, as that of an empty GBytes is. */
static const char *
get_text (GBytes *bytes, gsize *out_size)
{
  const char *text = g_bytes_get_data (bytes, out_size);
  return text != NULL ? text : "";
}

LmFileList *
lm_file_list_new (GBytes *bytes, GError **error)
{
  g_autoptr (LmFileList) list = g_new0 (LmFileList, 1);
  gsize size = 0;
  list->texts = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  list->entries = g_array_new (FALSE, FALSE, sizeof (LmFileEntry));
  const char *at = bytes != NULL ? get_text (bytes, &size) : "";
  if (bytes != NULL)
    g_ptr_array_add (list->texts, g_bytes_ref (bytes));
  for (const char *end = at + size, *before = ""; at < end;)
    {
      const char *middle = memchr (at, '\0', (gsize) (end - at));
      const char *last = middle != NULL ? memchr (middle + 1, '\0', (gsize) (end - middle - 1)) : NULL;
      LmFileEntry entry;
      if (last == NULL || !read_entry (at, &entry) || strcmp (before, entry.path) >= 0)
        {
          (void) throw_invalid (error);
          return NULL;
        }
      entry.target = middle + 1;
      g_array_append_val (list->entries, entry);
      before = entry.path;
      at = last + 1;
    }
  return g_steal_pointer (&list);
}

/* Returns the entry of @path; NULL if there is none. */
static LmFileEntry *
find_entry (const LmFileList *list, const char *path)
{
  guint first = 0, end = list->entries->len;
  while (first < end)
    {
      const guint middle = first + (end - first) / 2;
      LmFileEntry *entry = &g_array_index (list->entries, LmFileEntry, middle);
      const int order = strcmp (path, entry->path + 1);
      if (order == 0)
        return entry;
      if (order < 0)
        end = middle;
      else
        first = middle + 1;
    }
  return NULL;
}

gboolean
lm_file_list_add_digests (LmFileList *list, GBytes *bytes, GError **error)
{
  gsize size;
  const char *at = get_text (bytes, &size);
  g_ptr_array_add (list->texts, g_bytes_ref (bytes));
  for (const char *end = at + size; at < end;)
    {
      const char *last = memchr (at, '\0', (gsize) (end - at));
      if (last == NULL || last - at <= DIGEST_DIGITS + 2 || strspn (at, "0123456789abcdef") != DIGEST_DIGITS || at[DIGEST_DIGITS] != ' ')
        return throw_invalid (error);
      LmFileEntry *entry = find_entry (list, at + DIGEST_DIGITS + 2);
      if (entry != NULL)
        entry->digest = at;
      at = last + 1;
    }
  return TRUE;
}

/* Whether two words, each followed by a blank, are the same. */
static gboolean
is_same_word (const char *one, const char *other)
{
  const gsize length = strcspn (one, " ");
  return strncmp (one, other, length + 1) == 0;
}

static guint
compare_times (const LmFileEntry *before, const LmFileEntry *after)
{
  if (before->type == 'd')
    return 0;
  if (before->digest != NULL && after->digest != NULL)
    return is_same_word (before->digest, after->digest) ? 0 : LM_FILE_CHANGE_CONTENT;
  return is_same_word (before->mtime, after->mtime) && is_same_word (before->ctime, after->ctime) ? 0 : LM_FILE_CHANGE_TIME;
}

static guint
compare_entries (const LmFileEntry *before, const LmFileEntry *after)
{
  guint what = 0;
  if (before->type != after->type)
    return LM_FILE_CHANGE_TYPE;
  if (before->mode != after->mode)
    what |= LM_FILE_CHANGE_MODE;
  if (before->uid != after->uid || before->gid != after->gid)
    what |= LM_FILE_CHANGE_OWNER;
  if ((before->type != 'd' && before->size != after->size) || strcmp (before->target, after->target) != 0)
    what |= LM_FILE_CHANGE_CONTENT;
  return what | compare_times (before, after);
}

GArray *
lm_file_list_compare (const LmFileList *before, const LmFileList *after)
{
  GArray *changes = g_array_new (FALSE, FALSE, sizeof (LmFileChange));
  for (guint i = 0, j = 0; i < before->entries->len || j < after->entries->len;)
    {
      const LmFileEntry *old = i < before->entries->len ? &g_array_index (before->entries, LmFileEntry, i) : NULL;
      const LmFileEntry *now = j < after->entries->len ? &g_array_index (after->entries, LmFileEntry, j) : NULL;
      const int order = old == NULL ? 1 : now == NULL ? -1 : strcmp (old->path, now->path);
      LmFileChange change = { order <= 0 ? old : NULL, order >= 0 ? now : NULL, 0 };
      if (order == 0)
        change.what = compare_entries (old, now);
      if (order != 0 || change.what != 0)
        g_array_append_val (changes, change);
      i += order <= 0;
      j += order >= 0;
    }
  return changes;
}
