/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "publish": layers with their parents, their kernels and their catalog entries go
 * to a directory (author/web-dir.h) that any web server can serve to other hosts. */
#include "author/web-dir.h"
#include "ops/host.h"

typedef enum
{
  LM_PUBLISH_ERROR_UNKNOWN,   /* no such layer, or its parent is in no catalog */
  LM_PUBLISH_ERROR_MISSING,   /* a file is not in the cache */
  LM_PUBLISH_ERROR_DAMAGED,   /* a file of the cache is damaged */
  LM_PUBLISH_ERROR_DIFFERENT, /* the directory has the layer already, with other content */
  LM_PUBLISH_ERROR_FOREIGN,   /* the directory, or the catalog in it, is not one of this use case */
} LmPublishError;

#define LM_PUBLISH_ERROR lm_publish_error_quark ()
GQuark lm_publish_error_quark (void);

typedef struct
{
  const char *dir;
  const char *const *names; /* "name[@version]"; none for all layers that this host made */
  gboolean force;           /* replace what is there with other content */
  gint64 prune_seconds;     /* remove files that have been unused for so long; negative: none */
} LmPublishRequest;

typedef struct
{
  LmBlob blob;
  LmWebDirHow how;
} LmPublishFile;

typedef struct
{
  GPtrArray *files;   /* LmPublishFile */
  GPtrArray *removed; /* char *: names relative to the directory */
  guint layers;       /* in the catalog now */
  gboolean changed;   /* the catalog has changed */
} LmPublishResult;

/** lm_publish_result_free: frees @result; NULL is ignored. */
void lm_publish_result_free (LmPublishResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPublishResult, lm_publish_result_free)

/** lm_publish: does what @request says. The catalog is replaced last, and by then all files that it
 * names are durably there; what it listed before it still lists. Blocks. Errors: LM_PUBLISH_ERROR,
 * LM_SELECTION_ERROR, those of lm_source_load_all(), lm_web_dir_open() and lm_web_dir_add(). */
LmPublishResult *lm_publish (const LmHost *host, const LmPublishRequest *request, GCancellable *cancellable,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
