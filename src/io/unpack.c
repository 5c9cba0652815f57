/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/unpack.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_SIZE (256 * 1024)

G_DEFINE_QUARK (lm-unpack-error-quark, lm_unpack_error)

struct _LmUnpack
{
  struct archive *archive;
  int fd;
  off_t position;
  char *shown;
  gboolean opened, ended;
  GError *failure; /* of the callback */
  char *buffer;
};

static const struct
{
  const char *name;
  const char *magic;
  gsize size;
  int (*support) (struct archive *archive);
} formats[] = {
  { "gzip", "\x1f\x8b", 2, archive_read_support_filter_gzip },
  { "xz", "\xfd" "7zXZ", 5, archive_read_support_filter_xz },
  { "lz4", "\x04\x22\x4d\x18", 4, archive_read_support_filter_lz4 },
  { "zstd", "\x28\xb5\x2f\xfd", 4, archive_read_support_filter_zstd },
  { "bzip2", "BZh", 3, archive_read_support_filter_bzip2 },
};

const char *
lm_unpack_recognize (const void *head, gsize size)
{
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    if (size >= formats[i].size && memcmp (head, formats[i].magic, formats[i].size) == 0)
      return formats[i].name;
  return NULL;
}

static la_ssize_t
read_block (struct archive *archive, void *user_data, const void **out_data)
{
  LmUnpack *unpack = user_data;
  ssize_t n = -1;
  g_clear_error (&unpack->failure);
  gboolean ready = lm_fault_point ("unpack-read", &unpack->failure);
  while (ready && (n = pread (unpack->fd, unpack->buffer, BLOCK_SIZE, unpack->position)) < 0 && errno == EINTR)
    ;
  if (ready && n < 0)
    (void) lm_throw_errno (&unpack->failure, "cannot read %s", unpack->shown);
  if (n < 0)
    archive_set_error (archive, EIO, "cannot read");
  else
    unpack->position += n;
  *out_data = unpack->buffer;
  return n;
}

/* A filter for which libarchive would start a program is not used: only io/run starts programs. */
static LmUnpack *
new_unpack (const char *format, const char *shown, GError **error)
{
  g_autoptr (LmUnpack) unpack = g_new0 (LmUnpack, 1);
  unpack->fd = -1;
  unpack->shown = g_strdup (shown);
  unpack->archive = archive_read_new ();
  g_assert (unpack->archive != NULL);
  gsize i = 0;
  while (i < G_N_ELEMENTS (formats) && strcmp (formats[i].name, format) != 0)
    i++;
  if (i == G_N_ELEMENTS (formats) || formats[i].support (unpack->archive) != ARCHIVE_OK)
    return lm_throw_null (error, LM_UNPACK_ERROR, LM_UNPACK_ERROR_UNSUPPORTED,
                          "%s is compressed by %s, which this build of libarchive does not read; unpack it first", shown, format);
  archive_read_support_format_raw (unpack->archive);
  archive_read_support_format_empty (unpack->archive);
  return g_steal_pointer (&unpack);
}

LmUnpack *
lm_unpack_new (int fd, const char *format, const char *shown, GError **error)
{
  LmUnpack *unpack = new_unpack (format, shown, error);
  if (unpack == NULL)
    return NULL;
  unpack->fd = fd;
  unpack->buffer = g_malloc (BLOCK_SIZE);
  archive_read_set_read_callback (unpack->archive, read_block);
  archive_read_set_callback_data (unpack->archive, unpack);
  return unpack;
}

void
lm_unpack_free (LmUnpack *unpack)
{
  if (unpack == NULL)
    return;
  (void) archive_read_free (unpack->archive);
  g_clear_error (&unpack->failure);
  g_free (unpack->shown);
  g_free (unpack->buffer);
  g_free (unpack);
}

static gboolean
throw_unpack_error (LmUnpack *unpack, GError **error)
{
  if (unpack->failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&unpack->failure));
      return FALSE;
    }
  const char *text = archive_error_string (unpack->archive);
  g_autofree char *safe = lm_text_escape (text != NULL ? text : "it is damaged", 200);
  return lm_throw (error, LM_UNPACK_ERROR, LM_UNPACK_ERROR_INVALID, "%s cannot be unpacked: %s", unpack->shown, safe);
}

static gboolean
open_archive (LmUnpack *unpack, int opened, GError **error)
{
  struct archive_entry *entry;
  const int result = opened == ARCHIVE_OK ? archive_read_next_header (unpack->archive, &entry) : opened;
  unpack->opened = TRUE;
  unpack->ended = result == ARCHIVE_EOF; /* the content is empty */
  return result == ARCHIVE_OK || result == ARCHIVE_EOF || throw_unpack_error (unpack, error);
}

gboolean
lm_unpack_read (LmUnpack *unpack, const void **out_data, gsize *out_size, GError **error)
{
  la_int64_t offset;
  *out_size = 0;
  if (!unpack->opened && !open_archive (unpack, archive_read_open1 (unpack->archive), error))
    return FALSE;
  if (unpack->ended)
    return TRUE;
  int result = archive_read_data_block (unpack->archive, out_data, out_size, &offset);
  if (result == ARCHIVE_EOF)
    *out_size = 0;
  return result == ARCHIVE_OK || result == ARCHIVE_EOF || throw_unpack_error (unpack, error);
}

static gpointer
throw_too_big (const char *shown, gsize max_size, GError **error)
{
  return lm_throw_null (error, LM_UNPACK_ERROR, LM_UNPACK_ERROR_TOO_BIG, "%s contains more than %" G_GSIZE_FORMAT " MiB", shown,
                        max_size >> 20);
}

GBytes *
lm_unpack_bytes (GBytes *data, const char *shown, gsize max_size, GError **error)
{
  gsize size;
  const void *bytes = g_bytes_get_data (data, &size), *block;
  const char *format = lm_unpack_recognize (bytes, size);
  if (format == NULL)
    return size <= max_size ? g_bytes_ref (data) : throw_too_big (shown, max_size, error);
  g_autoptr (LmUnpack) unpack = new_unpack (format, shown, error);
  if (unpack == NULL || !open_archive (unpack, archive_read_open_memory (unpack->archive, bytes, size), error))
    return NULL;
  g_autoptr (GByteArray) content = g_byte_array_new ();
  while (lm_unpack_read (unpack, &block, &size, error))
    {
      if (size == 0)
        return g_byte_array_free_to_bytes (g_steal_pointer (&content));
      if (size > max_size - content->len)
        return throw_too_big (shown, max_size, error);
      g_byte_array_append (content, block, (guint) size);
    }
  return NULL;
}
