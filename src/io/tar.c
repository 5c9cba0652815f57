/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/tar.h"
#include "base/content.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define BLOCK_SIZE (256 * 1024)
/* What may follow the end of an archive in a pipe, so that its writer is not killed. */
#define TRAILER_MAX (1024 * 1024)

G_DEFINE_QUARK (lm-tar-error-quark, lm_tar_error)

struct _LmTarWriter
{
  struct archive *archive;
  int fd;
  char *shown;
  gboolean abandoned; /* nothing is written any more */
  GError *failure; /* of the callback */
};

struct _LmTarReader
{
  struct archive *archive;
  int fd;
  char *shown;
  GCancellable *cancellable;
  GError *failure; /* of the callback */
  gboolean opened, started;
  const char *content; /* what it is instead of an archive, if that is recognized; static */
  guint64 left;    /* bytes of the file */
  guint64 offset;  /* in the file */
  char *buffer;
};

/* Reports the failure of a callback, or else that of libarchive. Returns FALSE. */
static gboolean
throw_tar_error (struct archive *archive, GError **failure, const char *shown, GQuark domain, int code, GError **error)
{
  const char *text = archive_error_string (archive);
  g_autofree char *safe = lm_text_escape (text != NULL ? text : "unknown error", 200);
  if (*failure == NULL)
    return lm_throw (error, domain, code, "%s: %s", shown, safe);
  g_propagate_error (error, g_steal_pointer (failure));
  return FALSE;
}

static la_ssize_t
write_tar_block (struct archive *archive, void *user_data, const void *data, size_t size)
{
  LmTarWriter *writer = user_data;
  g_clear_error (&writer->failure);
  if (writer->abandoned)
    return -1;
  if (lm_fault_point ("tar-write", &writer->failure) && lm_fd_write_all (writer->fd, data, size, &writer->failure))
    return (la_ssize_t) size;
  g_prefix_error (&writer->failure, "cannot write %s: ", writer->shown);
  archive_set_error (archive, EIO, "cannot write");
  return -1;
}

LmTarWriter *
lm_tar_writer_new (int fd, const char *shown)
{
  LmTarWriter *writer = g_new0 (LmTarWriter, 1);
  writer->fd = fd;
  writer->shown = g_strdup (shown);
  writer->archive = archive_write_new ();
  g_assert (writer->archive != NULL);
  archive_write_set_format_pax_restricted (writer->archive);
  archive_write_set_bytes_per_block (writer->archive, BLOCK_SIZE);
  archive_write_set_bytes_in_last_block (writer->archive, 1);
  /* Writes nothing yet. */
  (void) archive_write_open (writer->archive, writer, NULL, write_tar_block, NULL);
  return writer;
}

void
lm_tar_writer_free (LmTarWriter *writer)
{
  if (writer == NULL)
    return;
  /* Closing an archive that is not finished writes the rest. Not archive_write_fail():
   * libarchive 3.6 then leaks its buffer. */
  writer->abandoned = TRUE;
  (void) archive_write_free (writer->archive);
  g_clear_error (&writer->failure);
  g_free (writer->shown);
  g_free (writer);
}

static gboolean
throw_write_error (LmTarWriter *writer, GError **error)
{
  return throw_tar_error (writer->archive, &writer->failure, writer->shown, G_IO_ERROR, G_IO_ERROR_FAILED, error);
}

gboolean
lm_tar_writer_begin (LmTarWriter *writer, const char *name, guint64 size, GError **error)
{
  struct archive_entry *entry = archive_entry_new ();
  g_assert (entry != NULL);
  archive_entry_set_pathname (entry, name);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, 0444);
  archive_entry_set_mtime (entry, 0, 0);
  archive_entry_set_size (entry, (la_int64_t) size);
  int result = archive_write_header (writer->archive, entry);
  archive_entry_free (entry);
  return result == ARCHIVE_OK || throw_write_error (writer, error);
}

gboolean
lm_tar_writer_write (LmTarWriter *writer, const void *data, gsize size, GError **error)
{
  return archive_write_data (writer->archive, data, size) == (la_ssize_t) size || throw_write_error (writer, error);
}

gboolean
lm_tar_writer_finish (LmTarWriter *writer, GError **error)
{
  return archive_write_close (writer->archive) == ARCHIVE_OK || throw_write_error (writer, error);
}

static gboolean
wait_for_data (LmTarReader *reader, GError **error)
{
  GPollFD cancelled = { .fd = -1 };
  gboolean pollable = g_cancellable_make_pollfd (reader->cancellable, &cancelled);
  struct pollfd fds[] = { { .fd = reader->fd, .events = POLLIN }, { .fd = cancelled.fd, .events = POLLIN } };
  int n;
  do
    n = poll (fds, pollable ? 2 : 1, -1);
  while (n < 0 && errno == EINTR && !g_cancellable_is_cancelled (reader->cancellable));
  if (pollable)
    g_cancellable_release_fd (reader->cancellable);
  return !g_cancellable_set_error_if_cancelled (reader->cancellable, error);
}

static la_ssize_t
read_tar_block (struct archive *archive, void *user_data, const void **out_data)
{
  LmTarReader *reader = user_data;
  g_clear_error (&reader->failure);
  ssize_t n = -1;
  gboolean ready;
  do
    {
      ready = wait_for_data (reader, &reader->failure) && lm_fault_point ("tar-read", &reader->failure);
      n = ready ? read (reader->fd, reader->buffer, BLOCK_SIZE) : -1;
    }
  while (ready && n < 0 && (errno == EINTR || errno == EAGAIN));
  if (ready && n < 0)
    (void) lm_throw_errno (&reader->failure, "cannot read %s", reader->shown);
  if (n < 0)
    archive_set_error (archive, EIO, "cannot read");
  if (n > 0 && !reader->started)
    reader->content = lm_content_recognize (reader->buffer, (gsize) n, NULL);
  reader->started = TRUE;
  *out_data = reader->buffer;
  return n;
}

/* Skips bytes of a file that can seek; of a pipe nothing, and libarchive reads them. */
static la_int64_t
skip_tar_bytes (struct archive *archive, void *user_data, la_int64_t size)
{
  const LmTarReader *reader = user_data;
  return lseek (reader->fd, size, SEEK_CUR) >= 0 ? size : 0;
}

LmTarReader *
lm_tar_reader_new (int fd, const char *shown, GCancellable *cancellable)
{
  LmTarReader *reader = g_new0 (LmTarReader, 1);
  reader->fd = fd;
  reader->shown = g_strdup (shown);
  reader->cancellable = cancellable;
  reader->buffer = g_malloc (BLOCK_SIZE);
  reader->archive = archive_read_new ();
  g_assert (reader->archive != NULL);
  archive_read_support_format_tar (reader->archive);
  archive_read_set_read_callback (reader->archive, read_tar_block);
  archive_read_set_skip_callback (reader->archive, skip_tar_bytes);
  archive_read_set_callback_data (reader->archive, reader);
  return reader;
}

void
lm_tar_reader_free (LmTarReader *reader)
{
  if (reader == NULL)
    return;
  (void) archive_read_free (reader->archive);
  g_clear_error (&reader->failure);
  g_free (reader->shown);
  g_free (reader->buffer);
  g_free (reader);
}

static gboolean
throw_read_error (LmTarReader *reader, GError **error)
{
  return throw_tar_error (reader->archive, &reader->failure, reader->shown, LM_TAR_ERROR, LM_TAR_ERROR_INVALID, error);
}

static gboolean
throw_invalid (LmTarReader *reader, const char *name, const char *what, GError **error)
{
  g_autofree char *safe = lm_text_escape (name != NULL ? name : "", 100);
  return lm_throw (error, LM_TAR_ERROR, LM_TAR_ERROR_INVALID, "%s: \"%s\" %s", reader->shown, safe, what);
}

/* The writer of a pipe may have padded the archive. */
static void
drain_pipe (LmTarReader *reader)
{
  if (lseek (reader->fd, 0, SEEK_CUR) >= 0)
    return;
  for (gsize total = 0; total < TRAILER_MAX && wait_for_data (reader, NULL);)
    {
      ssize_t n = read (reader->fd, reader->buffer, BLOCK_SIZE);
      if (n <= 0)
        return;
      total += (gsize) n;
    }
}

static gboolean
check_entry (LmTarReader *reader, struct archive_entry *entry, GError **error)
{
  const char *name = archive_entry_pathname (entry);
  if (name == NULL || *name == '\0')
    return throw_invalid (reader, name, "is not a valid name", error);
  if (archive_entry_hardlink (entry) != NULL || archive_entry_symlink (entry) != NULL
      || archive_entry_filetype (entry) != AE_IFREG)
    return throw_invalid (reader, name, "is not a regular file", error);
  if (archive_entry_sparse_reset (entry) > 0)
    return throw_invalid (reader, name, "is a sparse file", error);
  if (!archive_entry_size_is_set (entry) || archive_entry_size (entry) < 0)
    return throw_invalid (reader, name, "has no valid size", error);
  return TRUE;
}

/* Reads the first block, by which libarchive recognizes the format. */
static gboolean
open_archive (LmTarReader *reader, GError **error)
{
  reader->opened = TRUE;
  if (archive_read_open1 (reader->archive) == ARCHIVE_OK)
    return TRUE;
  if (reader->failure != NULL)
    return throw_read_error (reader, error);
  return lm_throw (error, LM_TAR_ERROR, LM_TAR_ERROR_INVALID, "%s is %s", reader->shown,
                   reader->content != NULL ? reader->content : "not a tar archive");
}

gboolean
lm_tar_reader_next (LmTarReader *reader, char **out_name, guint64 *out_size, GError **error)
{
  struct archive_entry *entry;
  if (!reader->opened && !open_archive (reader, error))
    return FALSE;
  int result = archive_read_next_header (reader->archive, &entry);
  if (result == ARCHIVE_EOF)
    {
      drain_pipe (reader);
      *out_name = NULL;
      *out_size = 0;
      return TRUE;
    }
  /* A warning, for example about a character set, is an error too. */
  if (result != ARCHIVE_OK)
    return throw_read_error (reader, error);
  if (!check_entry (reader, entry, error))
    return FALSE;
  *out_name = g_strdup (archive_entry_pathname (entry));
  *out_size = reader->left = (guint64) archive_entry_size (entry);
  reader->offset = 0;
  return TRUE;
}

gboolean
lm_tar_reader_read (LmTarReader *reader, const void **out_data, gsize *out_size, GError **error)
{
  la_int64_t offset;
  *out_size = 0;
  if (reader->left == 0)
    return TRUE;
  int result = archive_read_data_block (reader->archive, out_data, out_size, &offset);
  if (result != ARCHIVE_OK && result != ARCHIVE_EOF)
    return throw_read_error (reader, error);
  if (result == ARCHIVE_EOF || *out_size == 0 || *out_size > reader->left || (guint64) offset != reader->offset)
    return lm_throw (error, LM_TAR_ERROR, LM_TAR_ERROR_INVALID, "%s: a file is shorter than its size says", reader->shown);
  reader->left -= *out_size;
  reader->offset += *out_size;
  return TRUE;
}
