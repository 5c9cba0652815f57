/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/http.h"
#include "io/retry.h"

#include <gio/gio.h>

static void
test_predicate (void)
{
  static const struct
  {
    LmHttpError code;
    gboolean transient;
  } cases[] = {
    { LM_HTTP_ERROR_BAD_URL, FALSE },  { LM_HTTP_ERROR_NOT_FOUND, FALSE }, { LM_HTTP_ERROR_FORBIDDEN, FALSE },
    { LM_HTTP_ERROR_BUSY, TRUE },      { LM_HTTP_ERROR_LOCAL, FALSE },
    { LM_HTTP_ERROR_TRANSIENT, TRUE }, { LM_HTTP_ERROR_STALLED, TRUE },    { LM_HTTP_ERROR_SHORT, TRUE },
    { LM_HTTP_ERROR_TOO_BIG, FALSE },  { LM_HTTP_ERROR_TOO_SMALL, FALSE }, { LM_HTTP_ERROR_RANGE, TRUE },
    { LM_HTTP_ERROR_PROTOCOL, FALSE }, { LM_HTTP_ERROR_FAILED, FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = lm_http_error_new (cases[i].code, 0, "x");
      g_assert_cmpint (lm_retry_is_allowed (NULL, 1, error), ==, cases[i].transient);
    }
  g_autoptr (GError) other = g_error_new (G_IO_ERROR, G_IO_ERROR_NO_SPACE, "full");
  g_assert_false (lm_retry_is_allowed (NULL, 1, other));
  g_assert_false (lm_retry_is_allowed (NULL, 1, NULL));
}

static void
test_count (void)
{
  g_autoptr (GError) error = lm_http_error_new (LM_HTTP_ERROR_TRANSIENT, 0, "x");
  LmRetryPolicy policy = { .attempts = 3 };
  g_assert_true (lm_retry_is_allowed (&policy, 1, error));
  g_assert_true (lm_retry_is_allowed (&policy, 2, error));
  g_assert_false (lm_retry_is_allowed (&policy, 3, error));
  g_assert_true (lm_retry_is_allowed (NULL, 4, error));
  g_assert_false (lm_retry_is_allowed (NULL, 5, error));
}

static void
test_delay (void)
{
  g_autoptr (GError) error = lm_http_error_new (LM_HTTP_ERROR_TRANSIENT, 0, "x");
  LmRetryPolicy policy = { .first_ms = 100, .most_ms = 1000, .most_server_ms = 5000 };
  guint step = 100;
  for (guint failures = 1; failures < 40; failures++)
    {
      for (guint32 random = 0; random < 2000; random += 7)
        {
          guint delay = lm_retry_delay (&policy, failures, error, random);
          g_assert_cmpuint (delay, >=, step / 2);
          g_assert_cmpuint (delay, <=, step);
        }
      step = MIN (step * 2, 1000);
    }
  g_assert_cmpuint (lm_retry_delay (&policy, 1, error, 0), !=, lm_retry_delay (&policy, 1, error, 13));
}

static void
test_retry_after (void)
{
  LmRetryPolicy policy = { .first_ms = 100, .most_ms = 1000, .most_server_ms = 5000 };
  g_autoptr (GError) asked = lm_http_error_new (LM_HTTP_ERROR_TRANSIENT, 3, "x");
  g_assert_cmpuint (lm_retry_delay (&policy, 1, asked, 0), ==, 3000);
  g_autoptr (GError) much = lm_http_error_new (LM_HTTP_ERROR_TRANSIENT, G_MAXINT, "x");
  g_assert_cmpuint (lm_retry_delay (&policy, 1, much, 0), ==, 5000);
  g_autoptr (GError) copy = g_error_copy (much);
  g_assert_cmpuint (lm_http_error_get_retry_after (copy), ==, G_MAXINT);
  g_assert_cmpuint (lm_http_error_get_retry_after (NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/retry/predicate", test_predicate);
  g_test_add_func ("/retry/count", test_count);
  g_test_add_func ("/retry/delay", test_delay);
  g_test_add_func ("/retry/retry-after", test_retry_after);
  return g_test_run ();
}
