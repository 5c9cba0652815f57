/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/host.h"

static void
test_names (void)
{
  g_autoptr (LmHosts) hosts = lm_hosts_new ();
  LmHost *one = lm_hosts_get (hosts, "http://u:p@h:80/a?q");
  g_assert_true (lm_hosts_get (hosts, "http://h:80/b") == one);
  g_assert_true (lm_hosts_get (hosts, "http://h:81/b") != one);
  g_assert_true (lm_hosts_get (hosts, "https://h:80/b") != one);
  g_assert_nonnull (lm_hosts_get (hosts, "http://[::1"));
  g_assert_nonnull (lm_hosts_get (hosts, "file:///x"));
}

/* Eight at once against a host that bears @bears: it ends at that number, after
 * no more refusals than there were too many. */
static void
test_limit (void)
{
  for (guint bears = 1; bears < 8; bears++)
    {
      g_autoptr (LmHosts) hosts = lm_hosts_new ();
      LmHost *host = lm_hosts_get (hosts, "http://h/");
      guint refused = 0;
      for (guint i = 0; i < 8; i++)
        lm_host_begin (host);
      for (guint i = bears; i < 8; i++)
        {
          refused += lm_host_refused (host);
          lm_host_end (host);
        }
      g_assert_cmpuint (refused, ==, 8 - bears);
      g_assert_false (lm_host_has_room (host));
      lm_host_end (host);
      g_assert_true (lm_host_has_room (host));
      lm_host_begin (host);
      g_assert_false (lm_host_has_room (host));
    }
}

static void
test_alone (void)
{
  g_autoptr (LmHosts) hosts = lm_hosts_new ();
  LmHost *host = lm_hosts_get (hosts, "http://h/");
  lm_host_begin (host);
  g_assert_false (lm_host_refused (host));
  lm_host_end (host);
  g_assert_true (lm_host_has_room (host));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/host/names", test_names);
  g_test_add_func ("/host/limit", test_limit);
  g_test_add_func ("/host/alone", test_alone);
  return g_test_run ();
}
