/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/badserver.h"
#include "base/file.h"
#include "store/store.h"
#include "tests/unit/lib/cancel.h"

#include <string.h>
#include <sys/stat.h>

#define SIZE 20000

typedef BadserverFixture Fixture;

static void
assert_fails (const char *url, guint seconds, int code, const char *says)
{
  g_autoptr (GError) error = NULL;
  LmStoreRead request = { .url = url, .max_size = SIZE, .seconds = seconds };
  gint64 begin = g_get_monotonic_time ();
  g_test_message ("%s", url);
  g_assert_null (lm_store_read (&request, NULL, &error));
  g_assert_error (error, LM_HTTP_ERROR, code);
  g_assert_nonnull (strstr (error->message, says));
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 20 * G_USEC_PER_SEC);
}

static void
test_read (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (f->server->dir, "a", NULL);
  g_autofree char *file_url = g_filename_to_uri (path, NULL, NULL);
  g_autofree char *http_url = badserver_url (f->server, "ok", "a");
  g_autoptr (GBytes) want = lm_file_read (path, SIZE, NULL, &error);
  const char *const urls[] = { file_url, http_url };
  for (gsize i = 0; i < G_N_ELEMENTS (urls); i++)
    {
      LmStoreRead request = { .url = urls[i], .max_size = SIZE, .seconds = 60 };
      g_autoptr (LmStoreObject) object = lm_store_read (&request, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (g_bytes_equal (object->body, want));
      g_assert_cmpstr (object->url, ==, urls[i]);
      request.validator = object->validator;
      g_autoptr (LmStoreObject) again = lm_store_read (&request, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (object->validator ? again->body == NULL : g_bytes_equal (again->body, want));
      request.max_size = SIZE - 1;
      request.validator = NULL;
      g_assert_null (lm_store_read (&request, NULL, &error));
      g_assert_error (error, LM_HTTP_ERROR, LM_HTTP_ERROR_TOO_BIG);
      g_clear_error (&error);
    }
}

/* A transient failure is tried again, as for layers; a permanent one is not. */
static void
test_retries (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *behaviour;
    guint requests;
    gboolean good;
  } cases[] = {
    { "fail:503:1", 2, TRUE }, { "fail:429:3:1", 4, TRUE }, { "cut:100:2", 3, TRUE },
    { "status:503", 5, FALSE }, { "status:404", 1, FALSE }, { "close", 5, FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *url = badserver_url (f->server, cases[i].behaviour, "a");
      g_autofree char *logged = g_strdup_printf ("/%s/", cases[i].behaviour);
      LmStoreRead request = { .url = url, .max_size = SIZE, .seconds = 60 };
      g_autoptr (LmStoreObject) object = lm_store_read (&request, NULL, &error);
      g_test_message ("%s: %s", url, error ? error->message : "read");
      g_assert_cmpint (object != NULL, ==, cases[i].good);
      /* curl itself repeats a request if the connection was closed */
      g_assert_cmpuint (badserver_count (f->server, logged), >=, cases[i].requests);
    }
}

/* Each wait is limited, even if some data arrives all the time. */
static void
test_slow (Fixture *f, gconstpointer data)
{
  static const char *const behaviours[] = { "drip:300:1000", "drip:1:10", "stall:100:99" };
  for (gsize i = 0; i < G_N_ELEMENTS (behaviours); i++)
    {
      g_autofree char *url = badserver_url (f->server, behaviours[i], "a");
      assert_fails (url, 1, LM_HTTP_ERROR_STALLED, "127.0.0.1");
    }
}

static void
test_no_file (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "pipe", NULL);
  g_autofree char *pipe_url = g_filename_to_uri (path, NULL, NULL);
  g_autofree char *dir_url = g_filename_to_uri (f->dir, NULL, NULL);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  assert_fails (pipe_url, 60, LM_HTTP_ERROR_FAILED, "not a regular file");
  assert_fails ("file:///dev/zero", 60, LM_HTTP_ERROR_FAILED, "not a regular file");
  assert_fails (dir_url, 60, LM_HTTP_ERROR_FAILED, "is a directory");
  assert_fails ("file:///nonexistent/x", 60, LM_HTTP_ERROR_NOT_FOUND, "/nonexistent/x");
  assert_fails ("file:///dev/null/x", 60, LM_HTTP_ERROR_NOT_FOUND, "/dev/null/x");
  assert_fails ("file://elsewhere/x", 60, LM_HTTP_ERROR_BAD_URL, "not the URL of a local file");
  assert_fails ("ftp://h/x", 60, LM_HTTP_ERROR_BAD_URL, "http, https, file");
  g_assert_true (lm_store_knows ("http://h/x") && lm_store_knows ("file:///x") && lm_store_knows ("HTTPS://h"));
  g_assert_false (lm_store_knows ("ftp://h") || lm_store_knows ("http:x") || lm_store_knows ("x") || lm_store_knows (""));
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autofree char *url = badserver_url (f->server, "stall:100:9", "a");
  LmStoreRead request = { .url = url, .max_size = SIZE, .seconds = 60 };
  GThread *thread = cancel_after (cancellable, 100);
  g_assert_null (lm_store_read (&request, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  g_setenv ("LAMINA_TEST_NO_DELAY", "1", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/store/read", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_read, badserver_tear_down);
  g_test_add ("/store/retries", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_retries, badserver_tear_down);
  g_test_add ("/store/slow", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_slow, badserver_tear_down);
  g_test_add ("/store/no-file", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_no_file, badserver_tear_down);
  g_test_add ("/store/cancel", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_cancel, badserver_tear_down);
  return g_test_run ();
}
