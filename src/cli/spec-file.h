/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The file of "launch -f FILE": a YAML or JSON mapping whose keys are the long
 * names of options, and "name" and "selections" for the words. A list is an option
 * given several times; a mapping ("disk: {size: 8GiB}") gives its KEY=VALUE parts. */
#include "cli/args.h"
#include "cli/request-builder.h"

/** lm_spec_file_read: passes to @builder what the file @path says, except what
 * @args, the command line, says too. Reads a file, or a pipe until @cancellable is
 * cancelled (G_IO_ERROR_CANCELLED). Other errors: those of cli/request-builder.h,
 * with the line. */
gboolean lm_spec_file_read (const char *path, LmArgs *args, LmRequestBuilder *builder, GCancellable *cancellable,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
