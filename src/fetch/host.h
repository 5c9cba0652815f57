/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* How many transfers run to each host, and how many it bears. A host that
 * refuses one while others run (429, 503, connection refused, a stream refused)
 * may do so for their number: then fewer are started to it, down to one, for
 * the rest of the run. Pure: it moves nothing and asks no clock. Private to fetch. */
#include <glib.h>

typedef struct _LmHosts LmHosts;
typedef struct _LmHost LmHost;

LmHosts *lm_hosts_new (void);
void lm_hosts_free (LmHosts *hosts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmHosts, lm_hosts_free)

/** lm_hosts_get: the host of @url: its scheme, name and port. Owned by @hosts. */
LmHost *lm_hosts_get (LmHosts *hosts, const char *url);

/** lm_host_get_name: returns its scheme, name and port; owned by @host. */
const char *lm_host_get_name (const LmHost *host);

/** lm_host_has_room: whether one more transfer may be started. */
gboolean lm_host_has_room (const LmHost *host);

/** lm_host_begin: a transfer to it starts. */
void lm_host_begin (LmHost *host);

/** lm_host_end: a transfer to it has ended. */
void lm_host_end (LmHost *host);

/** lm_host_refused: the host refused a transfer that has not been ended yet.
 * TRUE if others were running, so that their number may be why; then fewer may
 * from now on. Each TRUE lowers the number, so there are never many. */
gboolean lm_host_refused (LmHost *host);
