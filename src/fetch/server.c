/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/server.h"

struct _LmServer
{
  const char *name; /* the key in by_name */
  guint active;
  guint most;
};

struct _LmServers
{
  GHashTable *by_name; /* char * → LmServer */
};

LmServers *
lm_servers_new (void)
{
  LmServers *servers = g_new0 (LmServers, 1);
  servers->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return servers;
}

void
lm_servers_free (LmServers *servers)
{
  if (servers == NULL)
    return;
  g_hash_table_unref (servers->by_name);
  g_free (servers);
}

static char *
make_server_name (const char *url)
{
  g_autofree char *scheme = NULL;
  g_autofree char *host = NULL;
  int port;
  if (!g_uri_split_network (url, G_URI_FLAGS_NONE, &scheme, &host, &port, NULL))
    return g_strdup (url);
  return g_strdup_printf ("%s://%s:%d", scheme, host ? host : "", port);
}

LmServer *
lm_servers_get (LmServers *servers, const char *url)
{
  g_autofree char *name = make_server_name (url);
  LmServer *server = g_hash_table_lookup (servers->by_name, name);
  if (server == NULL)
    {
      server = g_new0 (LmServer, 1);
      server->name = name;
      server->most = G_MAXUINT;
      g_hash_table_insert (servers->by_name, g_steal_pointer (&name), server);
    }
  return server;
}

const char *
lm_server_get_name (const LmServer *server)
{
  return server->name;
}

gboolean
lm_server_has_room (const LmServer *server)
{
  return server->active < server->most;
}

void
lm_server_begin (LmServer *server)
{
  server->active++;
}

void
lm_server_end (LmServer *server)
{
  server->active--;
}

gboolean
lm_server_refused (LmServer *server)
{
  if (server->active <= 1)
    return FALSE;
  server->most = MIN (server->most, server->active) - 1;
  server->most = MAX (server->most, 1);
  return TRUE;
}
