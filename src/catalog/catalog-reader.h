/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Converts the text of a catalog to its index. For catalog.c only. */
#include <glib.h>

typedef enum
{
  LM_CATALOG_READ_UNBUILT = 1 << 0, /* layers need not have builds */
  LM_CATALOG_READ_OWN = 1 << 1,     /* this program made the text, so messages do not say where in it something is */
} LmCatalogReadFlags;

/** lm_catalog_read: parses @text as described for lm_catalog_parse() and returns
 * the index (index.h). @requested_url is NULL if it is the same as @base_url. */
GBytes *lm_catalog_read (const char *requested_url, const char *base_url, LmCatalogReadFlags flags, const char *text, gsize size,
                         GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
