/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The file of a layer that was just made, and is not published yet. */
#include "cache/partial.h"
#include "catalog/layer.h"

/** lm_layer_file_describe: returns a build whose blob is the finished file of @partial, called @name, with the
 * parent @parent (NULL for a base); nothing else is set. Blocks. Errors: G_IO_ERROR. */
LmBuild *lm_layer_file_describe (LmPartial *partial, const char *name, const LmDigest *parent, GCancellable *cancellable,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
