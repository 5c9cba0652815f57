/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/http-private.h"
#include "fetch/mirror.h"

#include <string.h>

static char *urls[] = { (char *) "http://u:secret@a/x", (char *) "http://b/x", NULL };

static GError *
an_error (LmHttpError code, guint retry_after)
{
  return lm_http_error_new (code, retry_after, "x");
}

static const char *
choose (LmMirrors *sources, gint64 *out_due)
{
  return lm_mirrors_choose (sources, out_due) ? lm_mirrors_get_url (sources) : NULL;
}

/* A mirror that was not used yet is preferred to one that is not due yet. */
static void
test_order (void)
{
  LmRetryPolicy policy = { .attempts = 2, .first_ms = 1000 };
  g_autoptr (GError) transient = an_error (LM_HTTP_ERROR_TRANSIENT, 0);
  g_autoptr (LmMirrors) sources = lm_mirrors_new (urls, &policy);
  gint64 due;
  g_assert_null (lm_mirrors_get_url (sources));
  g_assert_cmpstr (choose (sources, &due), ==, urls[0]);
  g_assert_cmpstr (lm_mirrors_get_shown (sources), ==, "http://a/x");
  g_assert_cmpint (due, ==, 0);
  lm_mirrors_failed (sources, transient, 5000, FALSE, 0);
  g_assert_cmpstr (choose (sources, &due), ==, urls[1]);
  lm_mirrors_failed (sources, transient, 6000, FALSE, 0);
  g_assert_cmpstr (choose (sources, &due), ==, urls[0]);
  g_assert_cmpint (due, ==, 5000 + 500 * 1000);
  lm_mirrors_failed (sources, transient, 7000, FALSE, 0);
  g_assert_cmpstr (choose (sources, &due), ==, urls[1]);
  lm_mirrors_progressed (sources);
  lm_mirrors_failed (sources, transient, 8000, TRUE, 0);
  g_assert_cmpstr (choose (sources, &due), ==, urls[1]);
  g_assert_cmpint (due, ==, 8000);
  lm_mirrors_failed (sources, transient, 9000, TRUE, 0);
  g_assert_null (choose (sources, &due));
}

static void
test_final (void)
{
  g_autoptr (GError) missing = an_error (LM_HTTP_ERROR_NOT_FOUND, 0);
  g_autoptr (LmMirrors) sources = lm_mirrors_new (urls, NULL);
  gint64 due;
  g_assert_cmpstr (choose (sources, &due), ==, urls[0]);
  lm_mirrors_failed (sources, missing, 0, FALSE, 0);
  g_assert_cmpstr (choose (sources, &due), ==, urls[1]);
  lm_mirrors_mismatched (sources, TRUE);
  g_assert_cmpstr (choose (sources, &due), ==, urls[1]);
  lm_mirrors_mismatched (sources, TRUE);
  g_assert_null (choose (sources, &due));

  g_autoptr (LmMirrors) pure = lm_mirrors_new (urls, NULL);
  g_assert_cmpstr (choose (pure, &due), ==, urls[0]);
  lm_mirrors_mismatched (pure, FALSE);
  g_assert_cmpstr (choose (pure, &due), ==, urls[1]);

  g_autoptr (LmMirrors) none = lm_mirrors_new (NULL, NULL);
  g_assert_null (choose (none, &due));
}

static void
test_content_range (void)
{
  static const struct
  {
    const char *text;
    gboolean valid;
    gboolean has_total;
    guint64 first, total;
  } cases[] = {
    { "bytes 5-9/10", TRUE, TRUE, 5, 10 },
    { "BYTES 0-0/1", TRUE, TRUE, 0, 1 },
    { "bytes 5-9/*", TRUE, FALSE, 5, 0 },
    { "bytes 5-10/10", FALSE, FALSE, 0, 0 },
    { "bytes 9-5/10", FALSE, FALSE, 0, 0 },
    { "bytes */10", FALSE, FALSE, 0, 0 },
    { "bytes -5-9/10", FALSE, FALSE, 0, 0 },
    { "bytes 5-9", FALSE, FALSE, 0, 0 },
    { "bytes 5-9/x", FALSE, FALSE, 0, 0 },
    { "items 5-9/10", FALSE, FALSE, 0, 0 },
    { "bytes 5-99999999999999999999999/10", FALSE, FALSE, 0, 0 },
    { "", FALSE, FALSE, 0, 0 },
    { NULL, FALSE, FALSE, 0, 0 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint64 first = 0, total = 0;
      gboolean has_total = FALSE;
      g_assert_cmpint (lm_http_parse_content_range (cases[i].text, &first, &has_total, &total), ==, cases[i].valid);
      g_assert_cmpuint (first, ==, cases[i].first);
      g_assert_cmpuint (total, ==, cases[i].total);
      g_assert_cmpint (has_total, ==, cases[i].has_total);
    }
}

static void
test_header (void)
{
  static const char *const cases[][2] = {
    { "ETag: \"x\"\r\n", "\"x\"" }, { "etag:x", "x" }, { "ETag : x", NULL }, { "etag:  \r\n", NULL }, { "etagx: y", NULL }, { "etag", NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *value = lm_http_header_value (cases[i][0], strlen (cases[i][0]), "etag");
      g_assert_cmpstr (value, ==, cases[i][1]);
    }
  g_autofree char *x = g_strnfill (5000, 'x');
  g_autofree char *line = g_strconcat ("etag: ", x, NULL);
  g_assert_null (lm_http_header_value (line, strlen (line), "etag"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fetch-source/order", test_order);
  g_test_add_func ("/fetch-source/final", test_final);
  g_test_add_func ("/http/content-range", test_content_range);
  g_test_add_func ("/http/header", test_header);
  return g_test_run ();
}
