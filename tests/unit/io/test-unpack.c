/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define SIZE (3 * 1024 * 1024 + 17)

static GBytes *
sample (void)
{
  guint8 *data = g_malloc (SIZE);
  for (guint i = 0; i < SIZE; i++)
    data[i] = (guint8) (i % 251 ^ i >> 12);
  return g_bytes_new_take (data, SIZE);
}

/* @data compressed by the filter @code of libarchive; NULL if it would need a program for that. */
static GBytes *
compress_with (GBytes *data, int code)
{
  gsize size, used = 0;
  const void *bytes = g_bytes_get_data (data, &size);
  guint8 *buffer = g_malloc (2 * SIZE);
  struct archive *archive = archive_write_new ();
  struct archive_entry *entry = archive_entry_new ();
  if (archive_write_add_filter (archive, code) != ARCHIVE_OK)
    g_clear_pointer (&buffer, g_free);
  else
    {
      archive_write_set_format_raw (archive);
      g_assert_cmpint (archive_write_open_memory (archive, buffer, 2 * SIZE, &used), ==, ARCHIVE_OK);
      archive_entry_set_pathname (entry, "data");
      archive_entry_set_filetype (entry, AE_IFREG);
      g_assert_cmpint (archive_write_header (archive, entry), ==, ARCHIVE_OK);
      g_assert_cmpint (archive_write_data (archive, bytes, size), ==, (int) size);
    }
  archive_write_close (archive);
  archive_entry_free (entry);
  archive_write_free (archive);
  return buffer ? g_bytes_new_take (buffer, used) : NULL;
}

static void
test_filters (void)
{
  static const int filters[] = { ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_LZ4, ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_BZIP2 };
  g_autoptr (GBytes) data = sample ();
  for (gsize i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      g_autoptr (GBytes) packed = compress_with (data, filters[i]);
      g_autoptr (GError) error = NULL;
      g_assert_nonnull (packed);
      g_assert_cmpuint (g_bytes_get_size (packed), <, SIZE / 2);
      g_autoptr (GBytes) unpacked = lm_unpack_bytes (packed, "sample", SIZE, &error);
      g_assert_no_error (error);
      g_assert_true (g_bytes_equal (unpacked, data));
      g_autoptr (GBytes) half = g_bytes_new_from_bytes (packed, 0, g_bytes_get_size (packed) / 2);
      g_assert_null (lm_unpack_bytes (half, "sample", SIZE, &error));
      g_assert_error (error, LM_UNPACK_ERROR, LM_UNPACK_ERROR_INVALID);
      g_clear_error (&error);
      g_assert_null (lm_unpack_bytes (packed, "sample", SIZE - 1, &error));
      g_assert_error (error, LM_UNPACK_ERROR, LM_UNPACK_ERROR_TOO_BIG);
    }
}

static void
assert_empty (GBytes *packed)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpuint (g_bytes_get_size (packed), >, 0);
  g_autoptr (GBytes) unpacked = lm_unpack_bytes (packed, "nothing", 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (unpacked), ==, 0);
}

/* Such as the index of a suite without packages. */
static void
test_empty_content (void)
{
  static const int filters[] = { ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_BZIP2 };
  /* libarchive 3.6 crashes when it compresses nothing with lz4. */
  static const char lz4[] = "\x04\x22\x4d\x18\x64\x40\xa7\x00\x00\x00\x00\x05\x5d\xcc\x02";
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0), by_lz4 = g_bytes_new_static (lz4, sizeof lz4 - 1);
  for (gsize i = 0; i < G_N_ELEMENTS (filters); i++)
    {
      g_autoptr (GBytes) packed = compress_with (nothing, filters[i]);
      assert_empty (packed);
    }
  assert_empty (by_lz4);
}

static void
test_plain (void)
{
  static const char *const texts[] = { "", "a", "Package: a\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GBytes) data = g_bytes_new_static (texts[i], strlen (texts[i]));
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) unpacked = lm_unpack_bytes (data, "text", 100, &error);
      g_assert_no_error (error);
      g_assert_true (g_bytes_equal (unpacked, data));
    }
}

static void
test_plain_too_big (void)
{
  g_autoptr (GBytes) data = sample ();
  g_autoptr (GError) error = NULL;
  g_assert_null (lm_unpack_bytes (data, "sample", SIZE - 1, &error));
  g_assert_error (error, LM_UNPACK_ERROR, LM_UNPACK_ERROR_TOO_BIG);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/io/unpack/filters", test_filters);
  g_test_add_func ("/io/unpack/empty-content", test_empty_content);
  g_test_add_func ("/io/unpack/plain", test_plain);
  g_test_add_func ("/io/unpack/too-big", test_plain_too_big);
  return g_test_run ();
}
