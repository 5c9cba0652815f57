/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where to look for users of files. */
#include "virt/connect.h"

/* Owned by the caller. */
typedef struct
{
  const char *state_dir;          /* absolute */
  const char *uri;                /* libvirt connection; NULL for libvirt's choice */
  const char *const *connections; /* further ones whose domains may use files; NULL if none */
  LmVirtLimits libvirt;           /* for every connection */
  void (*warning) (gpointer user_data, const char *text);
  gpointer user_data;
  /* Unless it is NULL, called with the files of the cache (LmCacheEntry) while libvirt is being
   * asked, perhaps in another thread; it has returned when the search ends. */
  void (*listed) (gpointer data, GPtrArray *entries);
  gpointer listed_data;
} LmUsersScope;
