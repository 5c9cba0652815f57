/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/url.h"

#include <string.h>

static void
test_resolve (void)
{
  static const char *const good[][3] = {
    { "http://h/a/c.yaml", "x.qcow2", "http://h/a/x.qcow2" },
    { "http://h/a/c.yaml?v=/1", "b/x.qcow2", "http://h/a/b/x.qcow2" },
    { "http://h/a/c.yaml", "/x", "http://h/x" },
    { "http://h/a/c.yaml", "../x", "http://h/x" },
    { "http://h", "x", "http://h/x" },
    { "https://h:8443/a/", "//other/x", "https://other/x" },
    { "http://h/a/c.yaml", "HTTPS://m/x%20y", "https://m/x%20y" },
    { "http://me:word@h/a/c.yaml", "x", "http://me:word@h/a/x" },
    { "http://me:word@h/a/c.yaml", "/x", "http://me:word@h/x" },
    { "http://me:word@h/a/c.yaml", "//i/x", "http://i/x" },
    { "http://me:word@h/a/c.yaml", "http://H/x", "http://me:word@H/x" },
    { "file:///srv/c.yaml", "x", "file:///srv/x" },
    { "file:///srv/c.yaml", "http://h/x", "http://h/x" },
    { "file:///srv/c.yaml", "file:///else/x", "file:///else/x" },
  };
  static const char *const bad[] = { "ftp://h/x", "json:{}", "nbd://h/x", "file:///etc/passwd", "http:///x", "http://", "x y", "x\ny",
                                     "javascript:x", "http://[::1/x", "file:x", "" };
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *url = lm_url_resolve (good[i][0], good[i][1], &error);
      g_assert_no_error (error);
      g_assert_cmpstr (url, ==, good[i][2]);
      /* appending must give the same result as resolving */
      if (!lm_url_is_plain (good[i][1]))
        continue;
      g_autofree char *directory = lm_url_directory (good[i][0]);
      g_autofree char *joined = g_strconcat (directory, good[i][1], NULL);
      g_assert_cmpstr (joined, ==, good[i][2]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_test_message ("%s", bad[i]);
      g_assert_null (lm_url_resolve ("http://h/c.yaml", bad[i], &error));
      g_assert_error (error, LM_URL_ERROR, g_str_has_prefix (bad[i], "file:///") ? LM_URL_ERROR_LOCAL : LM_URL_ERROR_INVALID);
    }
  static const char *const not_plain[] = { "", "/x", "a//b", ".", "..", "a/..", "./a", "a/", "a:b", "a?b", "a#b", "a%20b", "a b", "a\\b" };
  for (guint i = 0; i < G_N_ELEMENTS (not_plain); i++)
    g_assert_false (lm_url_is_plain (not_plain[i]));
  g_assert_true (lm_url_is_plain ("a/..b/.c/d..e/...x"));
}

static void
test_inherit (void)
{
  static const char *const cases[][3] = {
    { "http://me:w@h/c", "http://h/x", "http://me:w@h/x" },
    { "http://me:w@h/c", "http://H:80/x?y", "http://me:w@H:80/x?y" },
    { "http://me%40a:w%2f@[::1]:8080/c", "http://[::1]:8080/x", "http://me%40a:w%2F@[::1]:8080/x" },
    { "http://me:w@h/c", "http://you@h/x", "http://you@h/x" },
    { "http://me:w@h/c", "http://@h/x", "http://@h/x" },
    { "http://me:w@h/c", "http://h.evil/x", "http://h.evil/x" },
    { "http://me:w@h/c", "http://h:81/x", "http://h:81/x" },
    { "https://me:w@h/c", "http://h/x", "http://h/x" },
    { "https://me:w@h/c", "http://h:443/x", "http://h:443/x" },
    { "http://h/c", "http://h/x", "http://h/x" },
    { "file:///c", "file:///x", "file:///x" },
    { "http://me:w@h/c", "x://", "x://" },
    { "no URL", "http://h/x", "http://h/x" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *url = lm_url_inherit_credentials (cases[i][0], cases[i][1]);
      g_assert_cmpstr (url, ==, cases[i][2]);
    }
}

static void
test_redact (void)
{
  static const char *const cases[][2] = {
    { "http://h/x", "http://h/x" },
    { "http://u:p@h/x", "http://h/x" },
    { "http://u@h", "http://h" },
    { "https://u:p@h:8443/a/b.yaml", "https://h:8443/a/b.yaml" },
    { "ftp://u:p@h/x", "ftp://h/x" },
    { "http://h/@scope/x", "http://h/@scope/x" },
    { "http://h:8080/@scope/x", "http://h:8080/@scope/x" },
    { "http://[::1]:80/a@b", "http://[::1]:80/a@b" },
    { "http://u:p@[::1]/x", "http://[::1]/x" },
    { "http://h/x?token=t", "http://h/x" },
    { "http://h/x#token=t", "http://h/x" },
    { "http://u:p@h?t#f", "http://h" },
    { "file:///srv/a:b@c", "file:///srv/a:b@c" },
    { "file://u:p@h/x", "file://h/x" },
    { "http://h/a%20b%2Fc", "http://h/a%20b%2Fc" },
    /* not URLs */
    { "http://u:p@q@h:1/x", "http://***" },
    { "http://user:p@ss/word@host/x", "http://ss/word@host/x" },
    { "http://user:p/wo?rd@host/x", "http://***" },
    { "http://user:word", "http://***" },
    { "http://no host/x", "http://***" },
    { "http://me:12/word@h/a b", "http://***" },
    { "http://h/x%zz", "http://***" },
    { "http:///u:p@h/x", "http://***" },
    { "http:/u:p@h/x", "http:***" },
    { "http:u:p@h/x", "http:***" },
    { "http://", "http://" },
    { "u:p@h", "u:***" },
    { "user:12345/secret@h", "user:***" },
    { "json:{}", "json:***" },
    { "qemu:///system", "qemu:///system" },
    { "//u:p@h/x", "***" },
    { "://u:p@h/x", "***" },
    { "ht tp://u:p@h/x", "***" },
    { "a/b://u:p@h/x", "***" },
    { "u@h", "***" },
    /* relative ones and paths */
    { "x/y.qcow2", "x/y.qcow2" },
    { "my file?sig=s", "my file" },
    { "x#y", "x" },
    { "x?u=http://u:p@h/", "***" },
    { "/srv/a:b@c", "/srv/a:b@c" },
    { "", "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *shown = lm_url_redact (cases[i][0]);
      g_test_message ("%s", cases[i][0]);
      g_assert_cmpstr (shown, ==, cases[i][1]);
      /* only for resolved URLs that contain one of these characters */
      if (strpbrk (cases[i][0], "@?#") != NULL)
        g_assert_cmpint (lm_url_is_secret (cases[i][0]), ==, strcmp (shown, cases[i][0]) != 0);
      /* Redacting again changes nothing. */
      g_autofree char *again = lm_url_redact (shown);
      g_assert_cmpstr (again, ==, shown);
    }
}

static void
test_redact_text (void)
{
  static const char *const cases[][2] = {
    { "", "" },
    { "cannot open /srv/a@b: no such file", "cannot open /srv/a@b: no such file" },
    { "no such verb: http://u:p@h/x?sig=s; try again", "no such verb: http://h/x; try again" },
    { "\"http://u:p@h/x\" or \"//u:p@h?s\"", "\"http://h/x\" or \"***\"" },
    { "http://u:p@h: dead, (ftp://u:p@i).", "http://h: dead, (ftp://i)." },
    { "--bogus=http://u:p@h/x: no", "--bogus=http://h/x: no" },
    { "x@http://u:p@h", "x@http://h" },
    { "cannot open /srv/http:/u:p@h/x: no", "cannot open /srv/http:***: no" },
    { "http://me:wo rd\" w@h/x: no", "http://***: no" },
    { "\"http://me:wo\" is unknown", "\"http://***\" is unknown" },
    { "http://h:80/x: tell me@h", "http://h:80/x: tell me@h" },
    { "at qemu:///system, /a//b", "at qemu:///system, /a//b" },
    { ":/:/ // :/", ":/:/ *** :/" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *shown = lm_url_redact_text (cases[i][0]);
      g_assert_cmpstr (shown, ==, cases[i][1]);
      g_autofree char *again = lm_url_redact_text (shown);
      g_assert_cmpstr (again, ==, shown);
    }
}

static void
test_errors_are_redacted (void)
{
  static const char *const bad[] = { "ftp://me:word@h/x", "http://me:wo rd@h/x", "file://me:word@h/x" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (lm_url_resolve ("http://h/c.yaml", bad[i], &error));
      g_assert_null (strstr (error->message, "me:"));
      g_assert_nonnull (strstr (error->message, strchr (bad[i], ' ') ? "http://***" : "://h/x"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/url/resolve", test_resolve);
  g_test_add_func ("/url/inherit", test_inherit);
  g_test_add_func ("/url/redact", test_redact);
  g_test_add_func ("/url/redact-text", test_redact_text);
  g_test_add_func ("/url/errors-are-redacted", test_errors_are_redacted);
  return g_test_run ();
}
