/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The parameters of every use case: where things are on this host, and functions to
 * which warnings and progress are reported. Owned by the caller. */
#include "cache/cache.h"
#include "fetch/fetch.h"
#include "plan/plan.h"
#include "users/scope.h"

typedef struct _LmHost LmHost;
struct _LmHost
{
  const char *state_dir;             /* absolute */
  const char *uri;                   /* libvirt connection; NULL for libvirt's choice */
  const char *const *connections;    /* further ones whose domains may use files; NULL if none */
  LmVirtLimits libvirt;              /* for every connection */
  LmCacheOptions cache;              /* for every LmCache */
  const char *const *catalogs;       /* extra catalogs; NULL if none */
  const char *const *template_dirs;  /* in the order in which they are searched */
  const char *const *osinfo_dirs;
  const char *const *recipe_dirs;    /* in which recipes are looked for, in order; NULL for none */
  /* Builds the layers that @plan says are to be built, and lists them in the local catalog
   * (author/chain-builder.h); NULL: they are not built unless a user asks for that. */
  gboolean (*build) (const LmHost *host, const LmPlan *plan, GCancellable *cancellable, GError **error);
  gconstpointer build_data;
  gboolean history;                  /* launches and starts are added to the history in lamina.db */
  gboolean in_start;                 /* libvirt waits for this run to start a domain, so it must not be called */
  guint64 max_size;                  /* bytes that the cache may occupy; 0: no limit */
  guint64 min_free;                  /* bytes that must remain free where it is; 0: no limit */
  guint transfers;                   /* maximum number of files pulled at a time */
  void (*warning) (gpointer user_data, const char *text);
  void (*status) (gpointer user_data, const char *text); /* announces a step, such as "waiting for ..." */
  LmFetchProgressFunc progress;
  gpointer user_data;
};

/** lm_host_scope: returns where on @host users of files are to be looked for. */
static inline LmUsersScope
lm_host_scope (const LmHost *host)
{
  return (LmUsersScope){ host->state_dir, host->uri, host->connections, host->libvirt, host->warning, host->user_data, NULL, NULL };
}
