/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* From cached layers to the writable overlay on top of them. It trusts no record
 * and no catalog: the digest proves what a file is, and the file's own header says
 * what its parent is and how large its disk. Layers are only read. */
#include "cache/cache.h"

typedef enum
{
  LM_CHAIN_ERROR_MISSING, /* a layer's file is missing or damaged; fetch it */
  LM_CHAIN_ERROR_BROKEN,  /* the layers are no chain that can be used, whatever is fetched */
} LmChainError;

#define LM_CHAIN_ERROR lm_chain_error_quark ()
GQuark lm_chain_error_quark (void);

/** lm_chain_check: checks that @layers (LmBlob, base first) form one chain from a
 * base: that each is in the cache undamaged, that its header names exactly the
 * layer below, and that its disk is not smaller than that one's, whose data would
 * be lost. *out_size (may be NULL) is the size in bytes of the disk of the topmost.
 * Blocks. Errors: LM_CHAIN_ERROR, G_IO_ERROR. */
gboolean lm_chain_check (LmCache *cache, const GPtrArray *layers, guint64 *out_size, GCancellable *cancellable,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_chain_make_overlay: lm_chain_check(), then makes the overlay @path (absolute)
 * on the topmost layer, with a disk of @size bytes or, if larger, what the layers
 * need. See lm_overlay_create() for what is there already, for *out_size and for
 * further errors. Leaves nothing half-made. Blocks. */
gboolean lm_chain_make_overlay (LmCache *cache, const GPtrArray *layers, const char *path, guint64 size, guint64 *out_size,
                                GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
