/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/host.h"

struct _LmHost
{
  const char *name; /* its key in by_name */
  guint active;
  guint most;
};

struct _LmHosts
{
  GHashTable *by_name; /* char * → LmHost */
};

LmHosts *
lm_hosts_new (void)
{
  LmHosts *hosts = g_new0 (LmHosts, 1);
  hosts->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return hosts;
}

void
lm_hosts_free (LmHosts *hosts)
{
  if (hosts == NULL)
    return;
  g_hash_table_unref (hosts->by_name);
  g_free (hosts);
}

static char *
host_name (const char *url)
{
  g_autofree char *scheme = NULL;
  g_autofree char *host = NULL;
  int port;
  if (!g_uri_split_network (url, G_URI_FLAGS_NONE, &scheme, &host, &port, NULL))
    return g_strdup (url);
  return g_strdup_printf ("%s://%s:%d", scheme, host ? host : "", port);
}

LmHost *
lm_hosts_get (LmHosts *hosts, const char *url)
{
  g_autofree char *name = host_name (url);
  LmHost *host = g_hash_table_lookup (hosts->by_name, name);
  if (host == NULL)
    {
      host = g_new0 (LmHost, 1);
      host->name = name;
      host->most = G_MAXUINT;
      g_hash_table_insert (hosts->by_name, g_steal_pointer (&name), host);
    }
  return host;
}

const char *
lm_host_get_name (const LmHost *host)
{
  return host->name;
}

gboolean
lm_host_has_room (const LmHost *host)
{
  return host->active < host->most;
}

void
lm_host_begin (LmHost *host)
{
  host->active++;
}

void
lm_host_end (LmHost *host)
{
  host->active--;
}

gboolean
lm_host_refused (LmHost *host)
{
  if (host->active <= 1)
    return FALSE;
  host->most = MIN (host->most, host->active) - 1;
  host->most = MAX (host->most, 1);
  return TRUE;
}
