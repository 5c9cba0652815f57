/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/direct.h"
#include "cache/scrub.h"
#include "tests/unit/cache/fixture.h"
#include "tests/unit/lib/unlock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP (64 * 1024)
#define SECOND G_USEC_PER_SEC

/* Reads for @seconds at @pace; each read takes @duration. Returns the number of bytes. */
static guint64
read_for (LmPace *pace, gint64 *now, guint seconds, gint64 duration)
{
  const gint64 end = *now + seconds * SECOND;
  guint64 bytes = 0;
  while (*now < end)
    {
      const gsize step = lm_pace_get_step (pace);
      *now += duration;
      *now += lm_pace_take (pace, step, *now);
      bytes += step;
    }
  return bytes;
}

static void
test_rate (void)
{
  static const guint64 rates[] = { 1000, 64 * 1024, 1000000, 50 * 1024 * 1024 };
  for (gsize i = 0; i < G_N_ELEMENTS (rates); i++)
    {
      g_autoptr (LmPace) pace = lm_pace_new (rates[i]);
      const gsize step = lm_pace_get_step (pace);
      gint64 now = 5 * SECOND;
      g_assert_cmpuint (step % 4096, ==, 0);
      const guint64 bytes = read_for (pace, &now, 200, 10);
      g_assert_cmpuint (bytes, >=, rates[i] * 199);
      g_assert_cmpuint (bytes, <=, rates[i] * 201 + step);
      g_assert_cmpuint (lm_pace_get_done (pace), ==, bytes);
      lm_pace_begin (pace);
      g_assert_cmpuint (lm_pace_get_done (pace), ==, 0);
    }
}

/* After the disk was slow, the rate is not exceeded to make up for it. */
static void
test_burst (void)
{
  const guint64 rate = 1000000;
  g_autoptr (LmPace) pace = lm_pace_new (rate);
  gint64 now = SECOND;
  (void) read_for (pace, &now, 1, 10);
  now += 10 * SECOND;
  g_assert_cmpuint (read_for (pace, &now, 1, 10), <=, rate * 13 / 10);
}

static void
test_no_limit (void)
{
  g_autoptr (LmPace) pace = lm_pace_new (0);
  g_assert_cmpint (lm_pace_take (pace, 1 << 30, SECOND), ==, 0);
  g_assert_cmpuint (lm_pace_get_step (pace), ==, 1024 * 1024);
}

/* Whether the file system refuses to read to @buffer directly; a tmpfs refuses nothing. */
static gboolean
is_refused (int fd, char *buffer)
{
  const int flags = fcntl (fd, F_GETFL);
  g_assert_cmpint (fcntl (fd, F_SETFL, flags | O_DIRECT), ==, 0);
  const gboolean refused = pread (fd, buffer, STEP, 0) < 0 && errno == EINVAL;
  g_assert_cmpint (fcntl (fd, F_SETFL, flags), ==, 0);
  return refused;
}

/* Reads all of @fd in steps; @shift makes the buffer unaligned. */
static GByteArray *
read_all (int fd, gsize shift, gboolean *out_direct)
{
  GByteArray *bytes = g_byte_array_new ();
  char *buffer = lm_direct_new_buffer (2 * STEP);
  LmDirect direct;
  gsize n = STEP;
  lm_direct_begin (&direct, fd);
  *out_direct = direct.direct;
  const gboolean refused = direct.direct && is_refused (fd, buffer + shift);
  /* That switched it off. */
  if (direct.direct)
    lm_direct_begin (&direct, fd);
  while (n == STEP)
    {
      g_autoptr (GError) error = NULL;
      g_assert_true (lm_direct_read (&direct, buffer + shift, STEP, &n, &error));
      g_assert_no_error (error);
      g_byte_array_append (bytes, (guint8 *) buffer + shift, (guint) n);
    }
  g_assert_true (!refused || !direct.direct);
  lm_direct_end (&direct);
  g_assert_cmpint (fcntl (fd, F_GETFL) & O_DIRECT, ==, 0);
  free (buffer);
  return bytes;
}

/* Any size is read completely, also if the file system refuses the first read. */
static void
test_direct (CacheFixture *f, gconstpointer data)
{
  static const gsize sizes[] = { 0, 1, 4095, 4096, 4097, STEP - 1, STEP, STEP + 1, 3 * STEP, 3 * STEP + 4097 };
  g_autofree char *path = g_build_filename (f->dir, "file", NULL);
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (sizes); i++)
    {
      const gsize size = sizes[i / 2], shift = i % 2;
      g_autofree char *text = g_malloc (size + 1);
      gboolean direct;
      for (gsize j = 0; j < size; j++)
        text[j] = (char) (j * 31 + j / 4096);
      g_assert_true (g_file_set_contents (path, text, (gssize) size, NULL));
      int fd = open (path, O_RDONLY | O_CLOEXEC);
      g_autoptr (GByteArray) bytes = read_all (fd, shift, &direct);
      g_assert_cmpmem (bytes->data, bytes->len, text, size);
      g_assert_cmpint (close (fd), ==, 0);
    }
}

/* Here it is refused from the beginning. */
static void
test_refused (void)
{
  g_autofree char *text = NULL;
  gsize size;
  gboolean direct;
  int fd = open ("/proc/version", O_RDONLY | O_CLOEXEC);
  g_assert_true (g_file_get_contents ("/proc/version", &text, &size, NULL));
  g_autoptr (GByteArray) bytes = read_all (fd, 0, &direct);
  g_assert_false (direct);
  g_assert_cmpmem (bytes->data, bytes->len, text, size);
  g_assert_cmpint (close (fd), ==, 0);
}

/* What the disk cannot deliver is not any failure. Nothing is mapped at address 0. */
static void
test_unreadable (void)
{
  g_autoptr (GError) error = NULL;
  LmDirect direct;
  gsize n;
  char *buffer = lm_direct_new_buffer (STEP);
  int fd = open ("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  lm_direct_begin (&direct, fd);
  g_assert_false (lm_direct_read (&direct, buffer, STEP, &n, &error));
  g_assert_error (error, LM_CACHE_ERROR, LM_CACHE_ERROR_UNREADABLE);
  g_assert_cmpint (close (fd), ==, 0);
  free (buffer);
}

static LmScrubResult
scrub (LmCache *cache, const LmDigest *digest)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmPace) pace = lm_pace_new (0);
  g_autofree char *path = lm_cache_get_path (cache, LM_BLOB_FILE, digest);
  const LmCacheEntry entry = { .kind = LM_BLOB_FILE, .digest = *digest, .path = path };
  LmScrubResult result;
  g_assert_true (lm_scrub_file (cache, &entry, pace, FALSE, &result, NULL, &error));
  g_assert_no_error (error);
  return result;
}

static char *
get_note (CacheFixture *f, const LmDigest *digest)
{
  g_autofree char *name = lm_digest_file_name (digest, NULL);
  return g_build_filename (f->state, "verified", name, NULL);
}

/* A note is written for a good file and removed for a damaged one. */
static void
test_notes (CacheFixture *f, gconstpointer data)
{
  const struct timespec past[] = { { 1, 0 }, { 1, 0 } };
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  g_autofree char *note = get_note (f, &digest);
  g_autofree char *foreign = g_build_filename (f->state, "verified", "foreign", NULL);
  g_assert_cmpint (scrub (f->cache, &digest).state, ==, LM_CACHE_MISSING);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  g_assert_cmpint (utimensat (AT_FDCWD, unlock_file (path), past, 0), ==, 0);
  g_assert_cmpint (unlink (note), ==, 0);
  g_assert_cmpint (scrub (f->cache, &digest).state, ==, LM_CACHE_PRESENT);
  g_assert_true (g_file_test (note, G_FILE_TEST_EXISTS));
  cache_change (path, "wrong");
  g_assert_cmpint (scrub (f->cache, &digest).state, ==, LM_CACHE_DAMAGED);
  g_assert_false (g_file_test (note, G_FILE_TEST_EXISTS));

  /* Only notes of files that do not exist are removed. */
  g_assert_true (g_file_set_contents (note, "", 0, NULL));
  g_assert_true (g_file_set_contents (foreign, "", 0, NULL));
  g_assert_true (lm_scrub_remove_notes (f->cache, NULL));
  g_assert_true (g_file_test (note, G_FILE_TEST_EXISTS));
  g_assert_cmpint (unlink (unlock_file (path)), ==, 0);
  g_assert_true (lm_scrub_remove_notes (f->cache, NULL));
  g_assert_false (g_file_test (note, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (foreign, G_FILE_TEST_EXISTS));
}

/* If another process replaces the file while it is read, the result is that of the new one. */
static void
test_replaced (CacheFixture *f, gconstpointer data)
{
  LmDigest digest = lm_digest_of_text ("right");
  g_autofree char *path = lm_cache_get_path (f->cache, LM_BLOB_FILE, &digest);
  cache_put (f->cache, LM_BLOB_FILE, "right");
  cache_change (path, "wrong");
  pid_t child = fork ();
  if (child == 0)
    {
      g_setenv ("LAMINA_TEST_FAULT", "verify-after-read=stop", TRUE);
      _exit ((int) scrub (f->cache, &digest).state);
    }
  int status;
  g_assert_cmpint (waitpid (child, &status, WUNTRACED), ==, child);
  g_assert_true (WIFSTOPPED (status));
  cache_put (f->cache, LM_BLOB_FILE, "right");
  while (WIFSTOPPED (status))
    {
      g_assert_cmpint (kill (child, SIGCONT), ==, 0);
      g_assert_cmpint (waitpid (child, &status, WUNTRACED), ==, child);
    }
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, LM_CACHE_PRESENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scrub/rate", test_rate);
  g_test_add_func ("/scrub/burst", test_burst);
  g_test_add_func ("/scrub/no-limit", test_no_limit);
  g_test_add ("/scrub/direct", CacheFixture, NULL, cache_fixture_set_up, test_direct, cache_fixture_tear_down);
  g_test_add_func ("/scrub/refused", test_refused);
  g_test_add_func ("/scrub/unreadable", test_unreadable);
  g_test_add ("/scrub/notes", CacheFixture, NULL, cache_fixture_set_up, test_notes, cache_fixture_tear_down);
  g_test_add ("/scrub/replaced", CacheFixture, NULL, cache_fixture_set_up, test_replaced, cache_fixture_tear_down);
  return g_test_run ();
}
