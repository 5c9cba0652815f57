/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A cache in a private directory, and short functions to use it. */
#include "cache/partial.h"

typedef struct
{
  char *dir;
  char *state;
  LmCache *cache;
} CacheFixture;

void cache_fixture_set_up (CacheFixture *f, gconstpointer data);
void cache_fixture_tear_down (CacheFixture *f, gconstpointer data);

/** cache_put: publishes @text as a blob. */
void cache_put (LmCache *cache, LmBlobKind kind, const char *text);

/** cache_check: returns the state of a blob; of kind LM_BLOB_FILE unless the kind is given. */
LmCacheState cache_check_kind (LmCache *cache, LmBlobKind kind, const LmDigest *digest);
LmCacheState cache_check (LmCache *cache, const LmDigest *digest);

/** cache_change: overwrites the beginning of the file @path with @text. */
void cache_change (const char *path, const char *text);
