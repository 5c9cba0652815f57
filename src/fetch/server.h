/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Counts the transfers from each server, and limits their number. A server that
 * refuses a transfer while others are running (429, 503, connection refused, stream
 * refused) may do so because of their number; then fewer are started, down to one,
 * for the rest of the run. Pure: it transfers nothing and does not read the clock.
 * Private to fetch. */
#include <glib.h>

typedef struct _LmServers LmServers;
typedef struct _LmServer LmServer;

/** lm_servers_new: returns an empty set; never NULL. */
LmServers *lm_servers_new (void);
/** lm_servers_free: frees @servers; NULL is ignored. */
void lm_servers_free (LmServers *servers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmServers, lm_servers_free)

/** lm_servers_get: returns the server of @url, identified by scheme, name and port. Owned by @servers. */
LmServer *lm_servers_get (LmServers *servers, const char *url);

/** lm_server_get_name: returns its scheme, name and port; owned by @server. */
const char *lm_server_get_name (const LmServer *server);

/** lm_server_has_room: whether another transfer may be started. */
gboolean lm_server_has_room (const LmServer *server);

/** lm_server_begin: records that a transfer starts. */
void lm_server_begin (LmServer *server);

/** lm_server_end: records that a transfer has ended. */
void lm_server_end (LmServer *server);

/** lm_server_refused: records that the server refused a transfer, for which
 * lm_server_end() has not been called yet. TRUE if others were running, so that their
 * number may be the reason; then the limit is lowered. Since each TRUE lowers the
 * limit, there are never many of them. */
gboolean lm_server_refused (LmServer *server);
