/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* From a chain whose layers are all cached to the writable overlay on top of
 * them. It trusts no record: each layer's own header must say what its blob
 * says. Layers are only read. */
#include "cache/cache.h"
#include <gio/gio.h>

typedef enum
{
  LM_CHAIN_ERROR_MISSING, /* a layer's file is not there; fetch it */
  LM_CHAIN_ERROR_BROKEN,  /* a layer's file is not what its blob says, or they are no chain */
} LmChainError;

#define LM_CHAIN_ERROR lm_chain_error_quark ()
GQuark lm_chain_error_quark (void);

/** lm_chain_make_overlay: checks that @layers (LmBlob, base first) form one
 * chain, that @cache has each, of the size that its blob says, and that each
 * header names exactly the layer below. Then makes the overlay @path (absolute)
 * on the top layer, with a disk of @size bytes or, if larger, what the layers
 * need. See lm_overlay_create() for what is there already, for *out_size and for
 * further errors. Leaves nothing half-made. Blocks. Errors: LM_CHAIN_ERROR, G_IO_ERROR. */
gboolean lm_chain_make_overlay (LmCache *cache, const GPtrArray *layers, const char *path, guint64 size,
                                guint64 *out_size, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
