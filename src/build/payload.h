/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a recipe copies into the guest, file by file: directories of the host are walked. */
#include "build/recipe.h"

typedef struct
{
  char *to;        /* absolute path in the guest */
  gboolean is_dir;
  int mode;        /* permission bits */
  char *from;      /* absolute path on this host; NULL for a directory, or if there is @content */
  gsize named;     /* so many bytes of @from the recipe names; the rest is below that directory */
  char *copy;      /* of the file, made by lm_payload_copy(); else NULL */
  GBytes *content; /* owned by the recipe; NULL for a directory, or if there is @from */
  guint64 size;    /* in bytes */
  LmDigest digest; /* of the content, when it was read; zero for a directory */
} LmPayloadItem;

/** lm_payload_read: returns the LmPayloadItems of @recipe, which must outlive the result: in the
 * order of the recipe, a directory before what it contains, and that by name. All files are read
 * for their digests. Symbolic links that @recipe names are followed; below a directory, what is
 * neither a file nor a directory is refused, also if it is put there meanwhile. Blocks. Errors: G_IO_ERROR. */
GPtrArray *lm_payload_read (const LmRecipe *recipe, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_payload_copy: copies the files of @payload, from which only their copies are to be used, to the directory
 * @dir, which is created: what is copied has the digest that lm_payload_read() found. Blocks. Errors: G_IO_ERROR,
 * of which G_IO_ERROR_BUSY for a file that was changed since. */
gboolean lm_payload_copy (GPtrArray *payload, const char *dir, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_payload_digest: returns the digest of everything in @recipe and @payload that decides what is on the disk,
 * and of the layer's name and version. */
LmDigest lm_payload_digest (const LmRecipe *recipe, const GPtrArray *payload);
