/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Directories in partial/ for work that needs several files at the same time, on the file
 * system of the cache. One whose process has ended is removed by the next process that needs
 * one, and by the collection of garbage. */
#include "cache/cache.h"

typedef struct _LmWorkDir LmWorkDir;

/** lm_work_dir_new: creates an empty directory of mode 0700. Errors: G_IO_ERROR. */
LmWorkDir *lm_work_dir_new (LmCache *cache, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_work_dir_free: removes the directory with all that is in it, and frees @dir; NULL is ignored. */
void lm_work_dir_free (LmWorkDir *dir);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmWorkDir, lm_work_dir_free)

/** lm_work_dir_get_path: returns the absolute path. Owned by @dir. */
const char *lm_work_dir_get_path (const LmWorkDir *dir);

/** lm_work_dir_remove_left: removes the directories of processes that have ended; errors are ignored. */
void lm_work_dir_remove_left (LmCache *cache);
