/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* launch -f FILE: a YAML or JSON mapping whose keys are the options' long
 * names, and "name" and "selections" for the words. A list is an option given
 * several times; a mapping ("disk: {size: 8GiB}") is its KEY=VALUE parts. */
#include "cli/args.h"
#include "cli/request-builder.h"

/** lm_spec_file_read: puts into @builder what the file @path says and @args,
 * the command line, does not: that wins. Reads a file, or a pipe, until
 * @cancellable is cancelled (G_IO_ERROR_CANCELLED). Other errors: those of
 * cli/request-builder.h, with the line. */
gboolean lm_spec_file_read (const char *path, LmArgs *args, LmRequestBuilder *builder, GCancellable *cancellable,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
