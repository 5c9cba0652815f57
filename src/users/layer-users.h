/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Who needs the files of the cache: child layers, machines and other domains in
 * whatever state, disks below the state directory through their backing files,
 * lamina processes at work, and pins. The truth is in the files and in libvirt; the
 * database only adds pins and times. All are found at once: each domain's XML and
 * each image header is read at most once. */
#include "cache/cache.h"
#include "users/layer-user.h"
#include "users/scope.h"

/* A file of the cache and those who need it. Nothing in it is owned. */
typedef struct _LmLayerUse LmLayerUse;
struct _LmLayerUse
{
  const LmCacheEntry *entry;
  gboolean has_parent;    /* according to its own header */
  LmDigest parent_digest; /* valid if has_parent */
  LmLayerUse *parent;     /* NULL if there is none in the cache */
  GPtrArray *children;    /* LmLayerUse, in the cache */
  GPtrArray *users;       /* LmLayerUser; also those that use it through a child */
  gboolean leased;        /* a lamina process needs it now */
  gboolean pinned;
  guint index;            /* in the files of LmLayerUsers */
  gint64 used;            /* last use by a launch or start, seconds since 1970; 0 if not known */
};

typedef struct
{
  GPtrArray *entries; /* LmCacheEntry */
  GPtrArray *files;   /* LmLayerUse, in the order of the entries */
  GPtrArray *users;   /* LmLayerUser: all machines, and others that use a file */
  GPtrArray *unknown; /* char *: what could not be asked or read, so that it may use any file; why */
  gboolean without_notes; /* this user may not read which files are pinned, and when they were used */
} LmLayerUsers;

/** lm_layer_users_collect: finds the users of all files in @cache. @virt is a
 * connection that is asked besides those that the records and settings name; if it
 * is NULL, the one that @scope names is opened. What cannot be asked, or this user may
 * not read, is noted in the result. Blocks. Errors: those of lm_cache_list(), lm_machine_list() and
 * lm_database_list_pins(); G_IO_ERROR_CANCELLED. */
LmLayerUsers *lm_layer_users_collect (const LmUsersScope *scope, LmVirt *virt, LmCache *cache, GCancellable *cancellable,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_layer_users_free: frees @users; NULL is ignored. */
void lm_layer_users_free (LmLayerUsers *users);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLayerUsers, lm_layer_users_free)

/** lm_layer_users_list: returns what @list does for @cache or, if this user may not read
 * @what, which is noted in users->unknown, an empty array. Errors: those of @list. */
GPtrArray *lm_layer_users_list (LmLayerUsers *users, LmCache *cache, GPtrArray *(*list) (LmCache *cache, GError **error),
                                const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_layer_use_get_time: returns when @use was last used or, if that is not known
 * or was before, pulled; seconds since 1970. */
gint64 lm_layer_use_get_time (const LmLayerUse *use);

/** lm_layer_use_users_to_json: adds the array "users" of the users of @use to the open object. */
void lm_layer_use_users_to_json (const LmLayerUse *use, JsonBuilder *builder);
