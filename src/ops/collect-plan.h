/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Decides what a collection removes from the cache so that its limits hold: what
 * killed transfers left, then damaged files that were set aside, the oldest first, then layers
 * and blobs that nobody needs, leaves first and least recently used first. Changes nothing; ops/collect.h carries it out. */
#include "cache/partial.h"
#include "cache/quarantine.h"
#include "ops/layer-names.h"
#include "ops/orphan.h"
#include "users/layer-users.h"

/* How large the cache may be. */
typedef struct
{
  guint64 max_size; /* bytes that it may occupy, with partial and damaged files; G_MAXUINT64: no limit */
  guint64 min_free; /* bytes that must remain free where it is; 0: no limit */
  guint64 needed;   /* bytes that are about to be pulled */
  gboolean only_copies; /* files that cannot be had again may go too */
  gboolean orphans; /* machines without domain are going to be removed, if that is possible, so that they need nothing */
} LmCollectLimits;

typedef enum
{
  LM_COLLECT_PINNED,
  LM_COLLECT_LEASED,  /* a lamina process needs it now */
  LM_COLLECT_USED,    /* machines, domains or disks use it */
  LM_COLLECT_PARENT,  /* a layer that is kept was built on it */
  LM_COLLECT_ONLY_COPY, /* nobody needs it, but it was made on this host (ops/only-copy.h) */
  LM_COLLECT_UNKNOWN, /* somebody who might use it cannot be asked */
  LM_COLLECT_ROOM,    /* nobody needs it, but the limits hold without removing it */
  LM_COLLECT_REMOVED, /* nobody needs it, and it is removed */
} LmCollectWhy;

typedef struct
{
  LmLayerUse *use;
  LmCollectWhy why;
  LmLayerUse *child; /* LM_COLLECT_PARENT: a child that is kept */
  gboolean only_copy; /* made on this host: if it is removed, it may be lost */
  guint removed;     /* how many of its children are removed */
} LmCollectItem;

typedef struct
{
  LmLayerUsers *users;
  GPtrArray *items;   /* LmCollectItem, in the order of users->files */
  GPtrArray *victims; /* LmCollectItem that are removed, in this order */
  GPtrArray *parts;   /* LmPartialEntry */
  GPtrArray *stale;   /* LmPartialEntry that are removed */
  GPtrArray *damaged; /* LmQuarantineEntry, the last one first */
  guint forgotten;    /* how many of them, from the end, are removed */
  GPtrArray *orphans; /* LmOrphan: machines whose domain is gone */
  guint64 size;       /* bytes that the cache occupies */
  guint64 free;       /* bytes that are free where it is */
  guint64 excess;     /* bytes to be freed so that the limits hold */
  guint64 missing;    /* those of them that cannot be freed */
} LmCollectPlan;

/** lm_collect_plan_new: decides what to remove from @cache, which may be read-only.
 * @scope, which is that of @host, and @virt as for lm_layer_users_collect(). Blocks. Errors:
 * those of lm_layer_users_collect(), lm_partial_list() and lm_only_copy_list(). If orphans are
 * going to be removed, it is determined which can be. */
LmCollectPlan *lm_collect_plan_new (const LmHost *host, const LmUsersScope *scope, LmVirt *virt, LmCache *cache,
                                    const LmCollectLimits *limits, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_collect_plan_free: frees @plan; NULL is ignored. */
void lm_collect_plan_free (LmCollectPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCollectPlan, lm_collect_plan_free)

/** lm_collect_item_reason: returns why the file stays or goes: "machine web1 (shut
 * off)", "not used since 2026-01-02"; newly allocated. Dates are local. @names names
 * the child that needs it; if NULL, its digest is used. */
char *lm_collect_item_reason (const LmCollectPlan *plan, const LmCollectItem *item, const LmLayerNames *names);

/** lm_collect_excess: gets by how many bytes the limits are exceeded, once what is
 * needed has been pulled. *out_size and *out_free are what @cache occupies and what
 * is free. Asks nobody. Errors: G_IO_ERROR. */
gboolean lm_collect_excess (LmCache *cache, const LmCollectLimits *limits, guint64 *out_size, guint64 *out_free,
                            guint64 *out_excess, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_collect_plan_holders: returns what occupies most of the space that cannot be
 * freed: "machine web1 (shut off) needs 3.0 GiB, 1.0 GiB are pinned"; newly
 * allocated. */
char *lm_collect_plan_holders (const LmCollectPlan *plan);
