/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Catalogs in files that are given for one run (--catalog FILE). An index of each
 * large one is kept, identified by its path and the file's device, inode, size and
 * times: in catalogs/files of the state directory, or below the user's cache
 * directory if that cannot be written. An index that another user could have
 * written is not used. Private to source. */
#include "catalog/catalog.h"
#include <gio/gio.h>

/** lm_source_file_index_load: returns the catalog in the file or pipe @path. @shown
 * and @base_url as for lm_catalog_parse(), whose errors it returns besides
 * G_IO_ERROR. A catalog with warnings is parsed every time, so that they are
 * repeated. */
LmCatalog *lm_source_file_index_load (const char *state_dir, const char *path, const char *shown, const char *base_url,
                                      GPtrArray *warnings, GCancellable *cancellable,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
