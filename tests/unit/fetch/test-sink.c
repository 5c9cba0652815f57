/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "base/hasher.h"
#include "fetch/sink.h"

#include <string.h>

#define SIZE (5 * 1000 * 1000 + 7)
#define WRITE_SIZE 16000

typedef struct
{
  char *dir;
  LmCache *cache;
  guint8 *bytes;
  LmDigest digest;
  LmPartial *partial;
  gint wakes; /* atomic */
  LmDigest got;
} Fixture;

static gboolean
complete (LmFetchSink *sink, const LmDigest *got, gpointer user_data, GError **error)
{
  Fixture *f = user_data;
  f->got = *got;
  return lm_fetch_sink_wait_synced (sink, error);
}

static void
wake (gpointer user_data)
{
  g_atomic_int_inc (&((Fixture *) user_data)->wakes);
}

static const LmFetchSinkHandler handler = { complete, wake };

/* How many of the two threads of a sink can be created; a replacement of GLib's function uses it. */
static guint threads_at_most = 2;
static guint threads_asked;

/* While the gate is closed, these threads wait. */
static GMutex gate_mutex;
static GCond gate_opened;
static gboolean gate_closed;

typedef struct
{
  GThreadFunc func;
  gpointer data;
} GatedThread;

static void
set_gate_closed (gboolean closed)
{
  g_mutex_lock (&gate_mutex);
  gate_closed = closed;
  g_cond_broadcast (&gate_opened);
  g_mutex_unlock (&gate_mutex);
}

static gpointer
run_gated (gpointer data)
{
  g_autofree GatedThread *thread = data;
  g_mutex_lock (&gate_mutex);
  while (gate_closed)
    g_cond_wait (&gate_opened, &gate_mutex);
  g_mutex_unlock (&gate_mutex);
  return thread->func (thread->data);
}

GThread *
g_thread_try_new (const char *name, GThreadFunc func, gpointer data, GError **error)
{
  if (threads_asked++ % 2 >= threads_at_most)
    {
      g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "no threads");
      return NULL;
    }
  const GatedThread thread = { func, data };
  return g_thread_new (name, run_gated, g_memdup2 (&thread, sizeof thread));
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("lm-sink-XXXXXX", NULL);
  f->cache = lm_cache_open (f->dir, NULL, NULL);
  f->bytes = g_malloc (SIZE);
  for (gsize i = 0; i < SIZE; i++)
    f->bytes[i] = (guint8) (i * 2654435761u >> 13);
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  lm_hasher_update (hasher, f->bytes, SIZE);
  lm_hasher_peek (hasher, &f->digest);
  f->partial = lm_partial_open (f->cache, &f->digest, NULL);
  g_assert_nonnull (f->partial);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_unsetenv ("LAMINA_TEST_FAULT");
  lm_partial_discard (f->partial);
  lm_cache_close (f->cache);
  g_free (f->bytes);
  g_assert_true (lm_file_remove_tree (f->dir, NULL));
  g_free (f->dir);
}

static void
feed (LmFetchSink *sink, const guint8 *bytes, gsize size)
{
  for (gsize at = 0; at < size;)
    {
      gsize n = MIN (WRITE_SIZE, size - at);
      if (lm_fetch_sink_write (sink, bytes + at, n))
        at += n;
      else
        while (!lm_fetch_sink_has_room (sink))
          g_usleep (100);
    }
}

static gboolean
finish (LmFetchSink *sink, GError **error)
{
  GError *failure = NULL;
  lm_fetch_sink_finish (sink);
  while (!lm_fetch_sink_poll (sink, &failure))
    g_usleep (100);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

static void
assert_file (Fixture *f)
{
  g_autoptr (GBytes) bytes = lm_file_read (lm_partial_get_path (f->partial), SIZE, NULL, NULL);
  g_assert_nonnull (bytes);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), f->bytes, SIZE);
}

/* The smallest ring is full before the threads begin; a write is refused, and accepted later. */
static void
test_small_ring (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  set_gate_closed (TRUE);
  LmFetchSink *sink = lm_fetch_sink_new (f->partial, SIZE, 1, &handler, f);
  gsize taken = 0;
  while (taken < SIZE - WRITE_SIZE && lm_fetch_sink_write (sink, f->bytes + taken, WRITE_SIZE))
    taken += WRITE_SIZE;
  g_assert_cmpuint (taken, >, 0);
  g_assert_cmpuint (taken, <, SIZE / 4);
  g_assert_false (lm_fetch_sink_has_room (sink));
  g_assert_false (lm_fetch_sink_write (sink, f->bytes + taken, WRITE_SIZE));
  g_assert_cmpuint (lm_fetch_sink_get_position (sink), ==, taken);
  g_assert_cmpint (g_atomic_int_get (&f->wakes), ==, 0);
  set_gate_closed (FALSE);
  feed (sink, f->bytes + taken, SIZE - taken);
  g_assert_true (finish (sink, &error));
  g_assert_cmpint (g_atomic_int_get (&f->wakes), >, 1); /* one is for the result */
  g_assert_true (lm_digest_equal (&f->got, &f->digest));
  lm_fetch_sink_free (sink);
  assert_file (f);
}

static void
test_reset_and_resume (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LmFetchSink *sink = lm_fetch_sink_new (f->partial, SIZE, 1 << 20, &handler, f);
  feed (sink, f->bytes + 5, 1000000);
  g_assert_true (finish (sink, &error));
  g_assert_false (lm_digest_equal (&f->got, &f->digest));
  lm_fetch_sink_reset (sink);
  g_assert_cmpuint (lm_fetch_sink_get_position (sink), ==, 0);
  feed (sink, f->bytes, 777777);
  lm_fetch_sink_free (sink);
  g_assert_cmpuint (lm_partial_get_size (f->partial), ==, 777777);

  sink = lm_fetch_sink_new (f->partial, SIZE, 1 << 20, &handler, f);
  g_assert_cmpuint (lm_fetch_sink_get_position (sink), ==, 777777);
  feed (sink, f->bytes + 777777, SIZE - 777777);
  g_assert_true (finish (sink, &error));
  g_assert_no_error (error);
  g_assert_true (lm_digest_equal (&f->got, &f->digest));
  lm_fetch_sink_free (sink);
  assert_file (f);
}

static void
test_disk_error (Fixture *f, gconstpointer data)
{
  static const char *const faults[] = { "part-reserve=enospc", "part-before-write=enospc", "part-before-sync=eio", "part-after-sync=eio" };
  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autoptr (GError) error = NULL;
      g_setenv ("LAMINA_TEST_FAULT", faults[i], TRUE);
      LmFetchSink *sink = lm_fetch_sink_new (f->partial, SIZE, 1 << 20, &handler, f);
      feed (sink, f->bytes, SIZE);
      g_assert_false (finish (sink, &error));
      g_assert_true (g_error_matches (error, G_IO_ERROR, i > 1 ? G_IO_ERROR_FAILED : G_IO_ERROR_NO_SPACE));
      g_clear_error (&error);
      g_assert_false (lm_fetch_sink_check (sink, &error));
      lm_fetch_sink_free (sink);
    }
}

/* If nobody polls the result, nothing may hang or leak. */
static void
test_free_early (Fixture *f, gconstpointer data)
{
  LmFetchSink *sink = lm_fetch_sink_new (f->partial, SIZE, 1, &handler, f);
  lm_fetch_sink_free (sink);
  sink = lm_fetch_sink_new (f->partial, SIZE, 1, &handler, f);
  feed (sink, f->bytes, 2000000);
  lm_fetch_sink_finish (sink);
  lm_fetch_sink_free (sink);
  g_assert_cmpuint (lm_partial_get_size (f->partial), ==, 2000000);
}

/* Without threads, as under a limit on processes: the same data and the same errors. */
/* Without threads the writer empties the ring itself. */
static void
test_small_ring_alone (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LmFetchSink *sink = lm_fetch_sink_new (f->partial, SIZE, 1, &handler, f);
  feed (sink, f->bytes, SIZE);
  g_assert_true (finish (sink, &error));
  g_assert_true (lm_digest_equal (&f->got, &f->digest));
  lm_fetch_sink_free (sink);
  assert_file (f);
}

static void
test_no_threads (Fixture *f, gconstpointer data)
{
  static void (*const tests[]) (Fixture *, gconstpointer) = { test_small_ring_alone, test_reset_and_resume, test_disk_error, test_free_early };
  for (threads_at_most = 0; threads_at_most < 2; threads_at_most++)
    for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
      {
        threads_asked = 0;
        tests[i] (f, data);
        g_unsetenv ("LAMINA_TEST_FAULT");
        g_assert_true (lm_partial_truncate (f->partial, NULL));
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/sink/small-ring", Fixture, NULL, set_up, test_small_ring, tear_down);
  g_test_add ("/sink/reset-and-resume", Fixture, NULL, set_up, test_reset_and_resume, tear_down);
  g_test_add ("/sink/disk-error", Fixture, NULL, set_up, test_disk_error, tear_down);
  g_test_add ("/sink/free-early", Fixture, NULL, set_up, test_free_early, tear_down);
  g_test_add ("/sink/no-threads", Fixture, NULL, set_up, test_no_threads, tear_down);
  return g_test_run ();
}
