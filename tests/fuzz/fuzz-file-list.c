/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Input: two lists of the files of a guest, and digests of some of them, separated by lines "%%". */
#include "config.h"
#include "fuzz.h"
#include "author/file-list.h"

#include <string.h>

#define SEPARATOR "\n%%\n"

/* Cuts the text up to the next separator off the beginning of @text; empty at the end. */
static GBytes *
take_part (const guint8 **text, gsize *size)
{
  const gsize width = strlen (SEPARATOR);
  gsize length = 0;
  while (length < *size && (*size - length < width || memcmp (*text + length, SEPARATOR, width) != 0))
    length++;
  /* An own copy, so that a sanitizer detects a read past the end. */
  GBytes *part = g_bytes_new (*text, length);
  const gsize used = MIN (*size, length + width);
  *text += used;
  *size -= used;
  return part;
}

static void
check_entry (const LmFileEntry *entry, const char *before)
{
  g_assert_true (entry->path[0] == '/' && strcmp (before, entry->path) < 0);
  g_assert_cmpuint (entry->mode, <=, 07777);
  g_assert_true (strchr (entry->mtime, ' ') != NULL && strchr (entry->ctime, ' ') != NULL);
  g_assert_nonnull (entry->target);
  g_assert_true (entry->digest == NULL || strspn (entry->digest, "0123456789abcdef") == 64);
}

/* All entries of @list, ordered by path, are what distinguishes it from an empty one; it has all in common with itself. */
static void
check_list (const LmFileList *list)
{
  g_autoptr (LmFileList) empty = lm_file_list_new (NULL, NULL);
  g_autoptr (GArray) all = lm_file_list_compare (empty, list);
  g_autoptr (GArray) none = lm_file_list_compare (list, list);
  const char *before = "";
  g_assert_cmpuint (none->len, ==, 0);
  for (guint i = 0; i < all->len; i++)
    {
      const LmFileChange *change = &g_array_index (all, LmFileChange, i);
      g_assert_true (change->before == NULL && change->after != NULL);
      check_entry (change->after, before);
      before = change->after->path;
    }
}

/* The other way round, what was added is removed, and the same is changed. */
static void
check_comparison (const LmFileList *one, const LmFileList *other)
{
  g_autoptr (GArray) there = lm_file_list_compare (one, other), back = lm_file_list_compare (other, one);
  g_assert_cmpuint (there->len, ==, back->len);
  for (guint i = 0; i < there->len; i++)
    {
      const LmFileChange *change = &g_array_index (there, LmFileChange, i), *reverse = &g_array_index (back, LmFileChange, i);
      g_assert_true (change->before == reverse->after && change->after == reverse->before && change->what == reverse->what);
      g_assert_true ((change->what != 0) == (change->before != NULL && change->after != NULL));
    }
}

static LmFileList *
read_list (GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  LmFileList *list = lm_file_list_new (bytes, &error);
  if (list == NULL)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  else
    check_list (list);
  return list;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) before = take_part (&data, &size), after = take_part (&data, &size), digests = take_part (&data, &size);
  g_autoptr (LmFileList) one = read_list (before), other = read_list (after);
  g_autoptr (GError) error = NULL;
  if (one == NULL || other == NULL)
    return 0;
  check_comparison (one, other);
  if (!lm_file_list_add_digests (one, digests, &error))
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
      return 0;
    }
  g_assert_true (lm_file_list_add_digests (other, digests, NULL));
  check_list (one);
  check_comparison (one, other);
  return 0;
}
