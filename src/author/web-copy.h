/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Puts files of the cache into a directory for web servers: none if there is no space for all. */
#include "author/web-dir.h"
#include "ops/host.h"

/** lm_web_copy_check: whether the files of @blobs (LmBlob, of which @cache has all), and @more bytes besides, fit into
 * @dir, which need not be prepared. *out_copied is set to a list of those that have to be copied (LmBlob, owned by @blobs).
 * Errors: those of lm_web_dir_would_copy() and lm_web_dir_check_space(). */
gboolean lm_web_copy_check (LmCache *cache, LmWebDir *dir, const GPtrArray *blobs, guint64 more, GPtrArray **out_copied,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_web_copy_run: adds the files of @blobs to @dir, and reports to @host the progress of those that lm_web_copy_check()
 * found have to be copied. Returns how each came into it: an array of LmWebDirHow. Blocks. Errors: those of lm_web_dir_add(). */
GArray *lm_web_copy_run (const LmHost *host, LmCache *cache, LmWebDir *dir, const GPtrArray *blobs, const GPtrArray *copied,
                         GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;
