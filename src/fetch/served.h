/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which hosts send bytes to whom on this machine now, as far as processes with the
 * same state directory go. A host that allows each client few connections may refuse
 * one process because it serves another one; this tells them that. A process that
 * receives bytes from a host holds a shared lock for it, so nobody waits for anybody,
 * and nothing is left when it dies. Private to fetch. */
#include "cache/cache.h"

typedef struct _LmServed LmServed;

/** lm_served_new: nobody is served yet. If the locks cannot be used, others are told
 * nothing, and seem not to be served. @cache must outlive it. Never NULL. */
LmServed *lm_served_new (LmCache *cache);
void lm_served_free (LmServed *served);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmServed, lm_served_free)

/** lm_served_begin: the host @name begins to send bytes to this process. Each call
 * is followed by one of lm_served_end(). */
void lm_served_begin (LmServed *served, const char *name);

/** lm_served_end: a transfer that lm_served_begin() was called for has ended. */
void lm_served_end (LmServed *served, const char *name);

/** lm_served_has_other: returns whether the host @name sends bytes to another process
 * now. Does not block. */
gboolean lm_served_has_other (LmServed *served, const char *name);
