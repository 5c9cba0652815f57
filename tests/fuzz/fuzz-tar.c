/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Input: an archive for "cache import"; read as a file, in which bytes can be skipped,
 * and as a pipe. What the first file contains is parsed as the catalog. */
#include "config.h"
#include "fuzz.h"
#include "base/fd.h"
#include "catalog/portable.h"
#include "io/tar.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A pipe takes so much without a reader. */
#define PIPE_SIZE 65536
#define BLOCK 512
#define CATALOG_MAX (256 * 1024)

typedef struct
{
  GByteArray *first; /* what the first file contains */
  guint64 bytes;
  guint files;
  gboolean failed;
} Reading;

/* Reads the file of @size bytes; every second one is skipped unless @all is set. */
static gboolean
read_file (LmTarReader *reader, guint64 size, gboolean all, Reading *reading, GError **error)
{
  guint64 got = 0;
  for (gsize n = 1; n > 0 && (all || reading->files % 2 == 1);)
    {
      const void *data;
      if (!lm_tar_reader_read (reader, &data, &n, error))
        return FALSE;
      got += n;
      g_assert_cmpuint (got, <=, size);
      /* All that is said to be there is. */
      if (reading->files == 1 && reading->first->len + n <= CATALOG_MAX)
        g_byte_array_append (reading->first, data, (guint) n);
      if (n == 0)
        g_assert_cmpuint (got, ==, size);
    }
  reading->bytes += got;
  return TRUE;
}

static void
read_archive (int fd, gboolean all, Reading *reading)
{
  g_autoptr (LmTarReader) reader = lm_tar_reader_new (fd, "archive", NULL);
  g_autoptr (GError) error = NULL;
  for (;;)
    {
      g_autofree char *name = NULL;
      guint64 size = 1;
      if (!lm_tar_reader_next (reader, &name, &size, &error))
        break;
      if (name == NULL)
        return;
      g_assert_true (*name != '\0' && size <= G_MAXINT64);
      reading->files++;
      if (!read_file (reader, size, all, reading, &error))
        break;
    }
  g_assert_error (error, LM_TAR_ERROR, LM_TAR_ERROR_INVALID);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  reading->failed = TRUE;
}

static void
parse_catalog (GByteArray *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text->data, text->len);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCatalog) catalog = lm_portable_parse (bytes, "catalog", &error);
  if (catalog == NULL)
    return;
  /* What an import makes of it must be a catalog again. */
  char *merged = lm_portable_merge ("merged", NULL, catalog, FALSE);
  g_autoptr (GBytes) again = g_bytes_new_take (merged, strlen (merged));
  g_autoptr (LmCatalog) same = lm_portable_parse (again, "merged", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lm_catalog_get_n_layers (same), <=, lm_catalog_get_n_layers (catalog));
}

/* Corrects the checksums of headers, which random changes would hardly ever do. */
static void
correct_checksums (guint8 *data, gsize size)
{
  for (gsize at = 0; at + BLOCK <= size; at += BLOCK)
    {
      guint sum = 8 * ' ';
      if (memcmp (data + at + 257, "ustar", 5) != 0)
        continue;
      for (guint i = 0; i < BLOCK; i++)
        sum += i < 148 || i >= 156 ? data[at + i] : 0;
      g_autofree char *text = g_strdup_printf ("%06o", sum);
      memcpy (data + at + 148, text, 7);
      data[at + 155] = ' ';
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *input, size_t size)
{
  g_autofree guint8 *data = g_malloc (size + 1);
  if (size > 0)
    memcpy (data, input, size);
  correct_checksums (data, size);
  lm_autofd int file = memfd_create ("archive", MFD_CLOEXEC);
  int ends[2];
  g_assert_true (file >= 0 && lm_fd_write_all (file, data, size, NULL));
  for (guint all = 0; all < 2; all++)
    {
      Reading reading = { .first = g_byte_array_new () };
      g_assert_cmpint (lseek (file, 0, SEEK_SET), ==, 0);
      read_archive (file, all != 0, &reading);
      if (all)
        parse_catalog (reading.first);
      g_byte_array_unref (reading.first);
    }
  if (size > PIPE_SIZE)
    return 0;
  Reading reading = { .first = g_byte_array_new () };
  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_true (lm_fd_write_all (ends[1], data, size, NULL));
  (void) close (ends[1]);
  read_archive (ends[0], TRUE, &reading);
  (void) close (ends[0]);
  /* Nothing but what is there can be read. */
  g_assert_cmpuint (reading.bytes, <=, size);
  g_byte_array_unref (reading.first);
  return 0;
}
