/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/badserver.h"
#include "base/file.h"
#include "base/content.h"
#include "io/http-private.h"

#include <string.h>

#define SIZE 300000

typedef BadserverFixture Fixture;

static const LmHttpOptions quick = { .connect_seconds = 2, .stall_seconds = 1, .stall_bytes = 1000 };

static void
test_get (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *url = badserver_url (f->server, "ok", "a");
  g_autoptr (LmHttpDocument) document = lm_http_get (url, NULL, SIZE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *path = g_build_filename (f->server->dir, "a", NULL);
  g_autoptr (GBytes) want = lm_file_read (path, SIZE, NULL, &error);
  g_assert_true (g_bytes_equal (document->body, want));
  g_assert_cmpstr (document->url, ==, url);
  g_assert_nonnull (document->etag);

  g_autoptr (LmHttpDocument) same = lm_http_get (url, document->etag, SIZE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (same->body);

  g_assert_null (lm_http_get (url, NULL, SIZE - 1, NULL, NULL, &error));
  g_assert_error (error, LM_HTTP_ERROR, LM_HTTP_ERROR_TOO_BIG);
}

static const struct
{
  const char *behaviour;
  LmHttpError code;
  guint retry_after;
} bad[] = {
  { "status:404", LM_HTTP_ERROR_NOT_FOUND, 0 },
  { "status:410", LM_HTTP_ERROR_NOT_FOUND, 0 },
  { "status:401", LM_HTTP_ERROR_FORBIDDEN, 0 },
  { "status:403", LM_HTTP_ERROR_FORBIDDEN, 0 },
  { "status:408", LM_HTTP_ERROR_TRANSIENT, 0 },
  { "fail:429:9:7", LM_HTTP_ERROR_BUSY, 7 },
  { "status:500", LM_HTTP_ERROR_TRANSIENT, 0 },
  { "status:503", LM_HTTP_ERROR_BUSY, 0 },
  { "status:418", LM_HTTP_ERROR_FAILED, 0 },
  { "cut:1000:9", LM_HTTP_ERROR_SHORT, 0 },
  { "stall:1000:9", LM_HTTP_ERROR_STALLED, 0 },
  { "drip:10:100", LM_HTTP_ERROR_STALLED, 0 },
  { "endless", LM_HTTP_ERROR_TOO_BIG, 0 },
  { "biglength:99999999999999", LM_HTTP_ERROR_TOO_BIG, 0 },
  { "length:1", LM_HTTP_ERROR_TOO_BIG, 0 },
  { "loop", LM_HTTP_ERROR_PROTOCOL, 0 },
  { "tofile", LM_HTTP_ERROR_PROTOCOL, 0 },
  { "close", LM_HTTP_ERROR_BUSY, 0 },
  { "garbage", LM_HTTP_ERROR_PROTOCOL, 0 },
};

static void
test_bad (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *url = badserver_url (f->server, bad[i].behaviour, "a");
      g_assert_null (lm_http_get (url, NULL, SIZE, &quick, NULL, &error));
      g_test_message ("%s: %s", bad[i].behaviour, error->message);
      g_assert_error (error, LM_HTTP_ERROR, (int) bad[i].code);
      g_assert_cmpuint (lm_http_error_get_retry_after (error), ==, bad[i].retry_after);
    }
}

static void
test_bad_url (void)
{
  static const char *const urls[] = { "", "x", "ftp://h/x", "/etc/passwd", "http:/x", "gopher://h/", "http://[::1", "dict://h:1/x" };
  for (gsize i = 0; i < G_N_ELEMENTS (urls); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (lm_http_get (urls[i], NULL, 10, NULL, NULL, &error));
      g_assert_error (error, LM_HTTP_ERROR, LM_HTTP_ERROR_BAD_URL);
    }
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  /* Nobody listens on port 1 of the loopback interface. */
  g_assert_null (lm_http_get ("http://127.0.0.1:1/x", NULL, 10, NULL, NULL, &error));
  g_assert_error (error, LM_HTTP_ERROR, LM_HTTP_ERROR_BUSY);
}

/* A transfer that is fast enough for the stall limit is ended by the total limit. */
static void
test_total (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  LmHttpOptions options = { .stall_seconds = 60, .stall_bytes = 1, .total_seconds = 1 };
  g_autofree char *url = badserver_url (f->server, "drip:3000:100", "a");
  gint64 start = g_get_monotonic_time ();
  g_assert_null (lm_http_get (url, NULL, SIZE, &options, NULL, &error));
  g_assert_error (error, LM_HTTP_ERROR, LM_HTTP_ERROR_STALLED);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 5 * G_USEC_PER_SEC);
}

static gpointer
cancel_when_asked (gpointer data)
{
  gpointer *both = data;
  while (badserver_count (both[0], "/drip:300:1000/a") == 0)
    g_usleep (10000);
  g_cancellable_cancel (both[1]);
  return NULL;
}

static void
test_cancel_drip (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gpointer both[] = { f->server, cancellable };
  GThread *thread = g_thread_new ("cancel", cancel_when_asked, both);
  g_autofree char *url = badserver_url (f->server, "drip:300:1000", "a");
  g_assert_null (lm_http_get (url, NULL, SIZE, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
}

static void
test_content (void)
{
  static const struct
  {
    const char *head;
    gsize size;
    const char *text;
  } cases[] = {
    { "\x1f\x8b\x08", 3, "gzip" }, { "\xfd" "7zXZ\0", 6, "xz" }, { "\x28\xb5\x2f\xfd", 4, "zstd" },
    { "BZh9", 4, "bzip2" }, { " \n<!DOCTYPE HTML>", 17, "HTML" }, { "<html>", 6, "HTML" }, { "KDMV", 4, "VMDK" },
    { "", 0, NULL }, { "\x1f", 1, NULL }, { "<htm", 4, "text, " }, { "   ", 3, NULL }, { "QFI\xfb", 4, NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *said = lm_content_describe (cases[i].head, cases[i].size);
      if (cases[i].text == NULL)
        g_assert_cmpstr (said, ==, "");
      else
        g_assert_nonnull (strstr (said, cases[i].text));
    }
}

/* A password is sent only to the host for which it was given, and no message contains it. */
static void
test_credentials (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *url = g_strdup_printf ("http://user:secret@127.0.0.1:%u/tohost:localhost/a", f->server->port);
  g_autoptr (LmHttpDocument) document = lm_http_get (url, NULL, SIZE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (document->body), ==, SIZE);
  g_assert_cmpuint (badserver_count (f->server, "/tohost:localhost/a - Basic_"), ==, 1);
  g_assert_cmpuint (badserver_count (f->server, "/ok/a - - 200"), ==, 1);

  g_autofree char *missing = g_strdup_printf ("http://user:secret@127.0.0.1:%u/ok/missing", f->server->port);
  g_assert_null (lm_http_get (missing, NULL, SIZE, NULL, NULL, &error));
  g_assert_null (strstr (error->message, "secret"));
  g_assert_nonnull (strstr (error->message, "/ok/missing"));
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_cancellable_cancel (cancellable);
  g_autofree char *url = badserver_url (f->server, "stall:10:9", "a");
  g_assert_null (lm_http_get (url, NULL, SIZE, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* A transfer whose handler accepts so many bytes before it pauses. */
typedef struct
{
  GByteArray *bytes;
  gsize room;
  gboolean paused;
  gboolean finished;
  guint64 offset;
  GError *error;
} Sink;

static gboolean
sink_response (gpointer user_data, const LmHttpResponse *response, GError **error)
{
  ((Sink *) user_data)->offset = response->offset;
  return TRUE;
}

static gboolean
sink_data (gpointer user_data, const void *data, gsize size)
{
  Sink *sink = user_data;
  if (sink->room < size)
    {
      sink->paused = TRUE;
      return FALSE;
    }
  sink->room -= size;
  g_byte_array_append (sink->bytes, data, (guint) size);
  return TRUE;
}

static void
sink_done (gpointer user_data, const GError *error)
{
  Sink *sink = user_data;
  sink->finished = TRUE;
  sink->error = error ? g_error_copy (error) : NULL;
}

static const LmHttpHandler sink_handler = { sink_response, sink_data, sink_done };

static void
sink_clear (Sink *sink)
{
  g_byte_array_unref (sink->bytes);
  g_clear_error (&sink->error);
}

static void
test_many_with_pauses (Fixture *f, gconstpointer data)
{
  enum { N = 20 };
  g_autoptr (GError) error = NULL;
  g_autoptr (LmHttp) http = lm_http_new (&(LmHttpOptions){ .connections = 4 });
  g_autofree char *url = badserver_url (f->server, "ok", "a");
  Sink sinks[N];
  LmHttpTransfer *transfers[N];
  for (guint i = 0; i < N; i++)
    {
      sinks[i] = (Sink){ .bytes = g_byte_array_new (), .room = 20000 };
      transfers[i] = lm_http_start (http, &(LmHttpRequest){ .url = url }, &sink_handler, &sinks[i], &error);
      g_assert_no_error (error);
    }
  for (guint left = N; left > 0;)
    {
      lm_http_iterate (http, 10);
      left = 0;
      for (guint i = 0; i < N; i++)
        {
          left += !sinks[i].finished;
          if (!sinks[i].paused || sinks[i].finished)
            continue;
          sinks[i].paused = FALSE;
          sinks[i].room = 30000;
          lm_http_transfer_resume (transfers[i]);
        }
    }
  g_autofree char *path = g_build_filename (f->server->dir, "a", NULL);
  g_autoptr (GBytes) want = lm_file_read (path, SIZE, NULL, &error);
  for (guint i = 0; i < N; i++)
    {
      g_assert_no_error (sinks[i].error);
      g_assert_cmpmem (sinks[i].bytes->data, sinks[i].bytes->len, g_bytes_get_data (want, NULL), SIZE);
      sink_clear (&sinks[i]);
    }
}

static void
test_redirect_schemes (void)
{
  g_assert_cmpstr (lm_http_redirect_schemes ("https://h/x", FALSE), ==, "https");
  g_assert_cmpstr (lm_http_redirect_schemes ("HTTPS://h/x", FALSE), ==, "https");
  g_assert_cmpstr (lm_http_redirect_schemes ("https://h/x", TRUE), ==, "http,https");
  g_assert_cmpstr (lm_http_redirect_schemes ("http://h/x", FALSE), ==, "http,https");
}

static void
test_certificate (void)
{
  /* GnuTLS: 1 << 1 invalid, 1 << 6 no signer, 1 << 10 expired. */
  g_assert_nonnull (strstr (lm_http_certificate_problem ("GnuTLS/3.7.9", 0x42), "authority"));
  g_assert_nonnull (strstr (lm_http_certificate_problem ("GnuTLS/3.7.9", 0x402), "expired"));
  g_assert_nonnull (strstr (lm_http_certificate_problem ("GnuTLS/3.7.9", 0x442), "expired"));
  g_assert_null (lm_http_certificate_problem ("GnuTLS/3.7.9", 0x2));
  g_assert_null (lm_http_certificate_problem ("GnuTLS/3.7.9", 0));
  g_assert_null (lm_http_certificate_problem ("OpenSSL/3.0.22", 0x42));
  g_assert_null (lm_http_certificate_problem (NULL, 0x42));
}

static const struct
{
  const char *behaviour;
  guint64 offset; /* of the response */
  int code;       /* -1 for success */
} ranges[] = {
  { "ok", 1000, -1 },
  { "noranges", 0, -1 },
  { "chunked", 0, -1 },
  { "before:1", 999, -1 },
  { "before:999", 1, -1 },
  { "before:1000", 0, -1 },
  { "badrange", 0, LM_HTTP_ERROR_RANGE },
};

static void
test_ranges (Fixture *f, gconstpointer data)
{
  g_autoptr (LmHttp) http = lm_http_new (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (ranges); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *url = badserver_url (f->server, ranges[i].behaviour, "a");
      Sink sink = { .bytes = g_byte_array_new (), .room = G_MAXSIZE };
      LmHttpRequest request = { .url = url, .offset = 1000, .max_size = SIZE };
      g_assert_nonnull (lm_http_start (http, &request, &sink_handler, &sink, &error));
      while (!sink.finished)
        lm_http_iterate (http, 10);
      g_assert_cmpuint (sink.offset, ==, ranges[i].offset);
      if (ranges[i].code >= 0)
        g_assert_error (sink.error, LM_HTTP_ERROR, ranges[i].code);
      else
        {
          g_assert_no_error (sink.error);
          g_assert_cmpuint (sink.bytes->len, ==, SIZE - ranges[i].offset);
        }
      sink_clear (&sink);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/http/get", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_get, badserver_tear_down);
  g_test_add ("/http/bad", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_bad, badserver_tear_down);
  g_test_add_func ("/http/bad-url", test_bad_url);
  g_test_add ("/http/total", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_total, badserver_tear_down);
  g_test_add ("/http/cancel-drip", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_cancel_drip, badserver_tear_down);
  g_test_add_func ("/http/content", test_content);
  g_test_add ("/http/refused", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_refused, badserver_tear_down);
  g_test_add ("/http/credentials", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_credentials, badserver_tear_down);
  g_test_add_func ("/http/redirect-schemes", test_redirect_schemes);
  g_test_add_func ("/http/certificate", test_certificate);
  g_test_add ("/http/cancel", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_cancel, badserver_tear_down);
  g_test_add ("/http/many-with-pauses", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_many_with_pauses, badserver_tear_down);
  g_test_add ("/http/ranges", Fixture, GSIZE_TO_POINTER (SIZE), badserver_set_up, test_ranges, badserver_tear_down);
  return g_test_run ();
}
