/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Checks the cached layers of a chain and creates the overlay on top of them. Does
 * not trust records or catalogs: the digest proves the contents of a file, and the
 * file's own header gives its parent and virtual size. Layers are only read. */
#include "cache/cache.h"

typedef enum
{
  LM_CHAIN_ERROR_MISSING, /* the file of a layer is missing or damaged and must be fetched */
  LM_CHAIN_ERROR_BROKEN,  /* the layers are not a usable chain; fetching does not help */
} LmChainError;

#define LM_CHAIN_ERROR lm_chain_error_quark ()
GQuark lm_chain_error_quark (void);

/** lm_chain_check: checks that @layers (LmBlob, base first) form a chain: that each
 * is in the cache and undamaged, that its header refers to exactly the layer below,
 * and that its virtual size is not smaller than that of the layer below, whose data
 * would be lost otherwise. *out_size (which may be NULL) is the virtual size of the
 * topmost layer in bytes. Blocks. Errors: LM_CHAIN_ERROR, G_IO_ERROR. */
gboolean lm_chain_check (LmCache *cache, const GPtrArray *layers, guint64 *out_size, GCancellable *cancellable,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_chain_make_overlay: does lm_chain_check(), then creates the overlay @path
 * (absolute) over the topmost layer, with a disk of @size bytes, or of the size
 * that the layers need if that is larger. See lm_overlay_create() about an existing
 * overlay, *out_size and further errors. Leaves nothing incomplete. Blocks. */
gboolean lm_chain_make_overlay (LmCache *cache, const GPtrArray *layers, const char *path, guint64 size, guint64 *out_size,
                                GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
