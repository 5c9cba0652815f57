/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* How much disk space machines occupy alone, and which part of the cache they share.
 * Sizes are bytes allocated on disk. */
#include "ops/host.h"
#include "users/layer-users.h"

typedef struct
{
  char *name;
  char *uuid;
  const char *state; /* see LmLayerUser */
  guint64 own;       /* everything in its directory: overlay, seed, kernel, ... */
  guint64 layers;    /* the cached files that it uses */
  guint64 shared;    /* those of them that others use as well */
} LmMachineUsage;

typedef struct
{
  GPtrArray *machines; /* LmMachineUsage, in the order of the records */
  GPtrArray *unknown;  /* char *: see LmLayerUsers */
  guint64 own;         /* all machines */
  guint64 used;        /* cached files that anybody uses, each counted once */
  guint64 unused;      /* those that nobody uses */
  guint64 partial;     /* incomplete files */
  guint64 damaged;     /* files that were moved to the quarantine */
} LmDiskUsage;

/** lm_disk_usage_new: determines the usage in the state directory of @host, whose
 * cache is @cache. Blocks. Errors: those of lm_layer_users_collect(), G_IO_ERROR. */
LmDiskUsage *lm_disk_usage_new (const LmHost *host, LmCache *cache, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_disk_usage_measure: returns the bytes of what is in the directory of the machine @uuid;
 * what has just disappeared does not count. */
guint64 lm_disk_usage_measure (const LmHost *host, const char *uuid);
/** lm_disk_usage_free: frees @usage; NULL is ignored. */
void lm_disk_usage_free (LmDiskUsage *usage);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDiskUsage, lm_disk_usage_free)
