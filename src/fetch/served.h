/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which servers are sending to which process on this host, among the processes that
 * use the same state directory. A server that allows only a few connections per
 * client may refuse one process because it serves another; this module tells them
 * that. A process that receives data from a server holds a shared lock for it, so
 * nobody waits for anybody, and nothing is left behind when it dies. Private to
 * fetch. */
#include "cache/cache.h"

typedef struct _LmServed LmServed;

/** lm_served_new: returns a table in which no server is sending to this process;
 * never NULL. If the locks cannot be used, other processes are not told, and seem
 * not to be served. @cache must outlive it. */
LmServed *lm_served_new (LmCache *cache);
/** lm_served_free: frees @served and releases its locks; NULL is ignored. */
void lm_served_free (LmServed *served);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmServed, lm_served_free)

/** lm_served_begin: records that the server @name begins to send data to this
 * process. Each call must be followed by one of lm_served_end(). */
void lm_served_begin (LmServed *served, const char *name);

/** lm_served_end: records that a transfer has ended for which lm_served_begin() was called. */
void lm_served_end (LmServed *served, const char *name);

/** lm_served_has_other: whether the server @name is now sending data to another
 * process. Does not block. */
gboolean lm_served_has_other (LmServed *served, const char *name);
