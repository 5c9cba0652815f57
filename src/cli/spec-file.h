/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* launch -f FILE: a YAML or JSON mapping whose keys are the options' long
 * names, and "name" and "selections" for the words. What the command line
 * says wins over the file. A list is an option given several times; a mapping
 * ("disk: {size: 8GiB}") is KEY=VALUE,... */
#include "cli/args.h"
#include <gio/gio.h>

/** lm_spec_file_merge: adds what the file @path says and @args lacks. A name
 * and selections are added as words when @args has none. Reads a file, or a
 * pipe, until @cancellable is cancelled (G_IO_ERROR_CANCELLED).
 * Other errors: LM_CLI_ERROR_USAGE with the line. */
gboolean lm_spec_file_merge (LmArgs *args, const char *path, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
