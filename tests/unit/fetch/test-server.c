/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/server.h"

static void
test_names (void)
{
  g_autoptr (LmServers) servers = lm_servers_new ();
  LmServer *one = lm_servers_get (servers, "http://u:p@h:80/a?q");
  g_assert_true (lm_servers_get (servers, "http://h:80/b") == one);
  g_assert_true (lm_servers_get (servers, "http://h:81/b") != one);
  g_assert_true (lm_servers_get (servers, "https://h:80/b") != one);
  g_assert_nonnull (lm_servers_get (servers, "http://[::1"));
  g_assert_nonnull (lm_servers_get (servers, "file:///x"));
}

/* Eight transfers at once from a server that allows @allowed: that number becomes the
 * limit, after exactly as many refusals as there were transfers too many. */
static void
test_limit (void)
{
  for (guint allowed = 1; allowed < 8; allowed++)
    {
      g_autoptr (LmServers) servers = lm_servers_new ();
      LmServer *server = lm_servers_get (servers, "http://h/");
      guint refused = 0;
      for (guint i = 0; i < 8; i++)
        lm_server_begin (server);
      for (guint i = allowed; i < 8; i++)
        {
          refused += lm_server_refused (server);
          lm_server_end (server);
        }
      g_assert_cmpuint (refused, ==, 8 - allowed);
      g_assert_false (lm_server_has_room (server));
      lm_server_end (server);
      g_assert_true (lm_server_has_room (server));
      lm_server_begin (server);
      g_assert_false (lm_server_has_room (server));
    }
}

static void
test_alone (void)
{
  g_autoptr (LmServers) servers = lm_servers_new ();
  LmServer *server = lm_servers_get (servers, "http://h/");
  lm_server_begin (server);
  g_assert_false (lm_server_refused (server));
  lm_server_end (server);
  g_assert_true (lm_server_has_room (server));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/server/names", test_names);
  g_test_add_func ("/server/limit", test_limit);
  g_test_add_func ("/server/alone", test_alone);
  return g_test_run ();
}
