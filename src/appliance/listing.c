/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/listing.h"
#include "appliance/shell.h"
#include "base/error.h"
#include "base/file.h"

#include <string.h>

/* Of all entries together: many millions of files. */
#define LISTING_MAX (1024 * 1024 * 1024)
/* libguestfs takes at most 4 MiB in one message, and base64 makes four bytes of three. */
#define PIECE (2 * 1024 * 1024)
#define LISTING_FILE "/tmp/listing"

/* Appends the next piece of the list; *out_more is whether there was one. */
static gboolean
fetch_piece (guestfs_h *handle, GByteArray *list, gboolean *out_more, GError **error)
{
  g_autofree char *command = g_strdup_printf ("dd if=" LISTING_FILE " bs=%d skip=%u count=1 status=none | base64 -w0", PIECE,
                                              list->len / PIECE);
  char *text = lm_shell_run (handle, command);
  if (text == NULL)
    return lm_failure_throw (handle, error, "cannot read the list of files");
  gsize size;
  g_autofree guchar *piece = g_base64_decode (text, &size);
  free (text);
  g_byte_array_append (list, piece, (guint) size);
  *out_more = size == PIECE;
  if (list->len > LISTING_MAX)
    return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_FAILED, "too many files to list");
  return TRUE;
}

/* Returns the path in an entry: what follows the seventh blank. */
static const char *
path_of (const char *entry)
{
  for (guint blanks = 0; blanks < 7 && entry != NULL; blanks++)
    {
      entry = strchr (entry, ' ');
      entry = entry != NULL ? entry + 1 : NULL;
    }
  return entry != NULL ? entry : "";
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  return strcmp (path_of (*(const char *const *) a), path_of (*(const char *const *) b));
}

/* Returns the list in the order of its paths. An entry is two texts, each with a NUL byte. */
static GByteArray *
sort_list (const GByteArray *list)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  GByteArray *sorted = g_byte_array_new ();
  const char *end = (const char *) list->data + list->len;
  for (const char *at = (const char *) list->data; at < end;)
    {
      const char *middle = memchr (at, '\0', (gsize) (end - at));
      const char *last = middle != NULL ? memchr (middle + 1, '\0', (gsize) (end - middle - 1)) : NULL;
      if (last == NULL)
        break;
      g_ptr_array_add (entries, (gpointer) at);
      at = last + 1;
    }
  g_ptr_array_sort (entries, compare_entries);
  for (guint i = 0; i < entries->len; i++)
    {
      const char *entry = entries->pdata[i];
      gsize size = strlen (entry) + 1;
      g_byte_array_append (sorted, (const guint8 *) entry, (guint) (size + strlen (entry + size) + 1));
    }
  return sorted;
}

/* Returns what the shell command @command, after a change to the directory @path of the guest, writes to standard output. */
static GByteArray *
list (guestfs_h *handle, const char *path, const char *command, GError **error)
{
  g_autofree char *where = lm_shell_locate (handle, path, error);
  if (where == NULL)
    return NULL;
  g_autofree char *line = g_strdup_printf ("cd %s && %s >" LISTING_FILE, where, command);
  char *said = lm_shell_run (handle, line);
  if (said == NULL)
    {
      (void) lm_failure_throw (handle, error, "cannot list %s", path);
      return NULL;
    }
  free (said);
  g_autoptr (GByteArray) found = g_byte_array_new ();
  for (gboolean more = TRUE; more;)
    if (!fetch_piece (handle, found, &more, error))
      return NULL;
  return g_steal_pointer (&found);
}

static gboolean
write_list (const GByteArray *list, const char *to, GError **error)
{
  return lm_file_write_unsynced (to, list->data != NULL ? (const char *) list->data : "", list->len, 0600, error);
}

gboolean
lm_listing_write (guestfs_h *handle, const char *path, const char *to, GError **error)
{
  g_autoptr (GByteArray) found
    = list (handle, path, "find . -mindepth 1 -printf '%y %04m %U %G %s %T@ %C@ /%P\\0%l\\0'", error);
  g_autoptr (GByteArray) sorted = found != NULL ? sort_list (found) : NULL;
  return sorted != NULL && write_list (sorted, to, error);
}

gboolean
lm_listing_write_digests (guestfs_h *handle, const char *path, const char *to, GError **error)
{
  g_autoptr (GByteArray) found
    = list (handle, path, "find . -type f -printf '%P\\0' | xargs -0 -r sha256sum -z --", error);
  return found != NULL && write_list (found, to, error);
}

gboolean
lm_listing_truncate (guestfs_h *handle, const char *path, GError **error)
{
  g_autofree char *where = lm_shell_locate (handle, path, error);
  if (where == NULL)
    return FALSE;
  g_autofree char *command = g_strdup_printf ("find %s -type f -size +0 -exec truncate -s 0 '{}' +", where);
  char *said = lm_shell_run (handle, command);
  if (said == NULL)
    return lm_failure_throw (handle, error, "cannot empty the files in %s", path);
  free (said);
  return TRUE;
}
