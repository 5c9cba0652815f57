/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Puts a prepared block together, record by record. For catalog-reader.c only. */
#include "catalog/prepared.h"

/* The arrays may be read and appended to; strings and lists by the functions. */
typedef struct
{
  GString *strings;
  GArray *lists;    /* guint32 */
  GArray *groups;   /* LmPreparedGroup */
  GArray *layers;   /* LmPreparedLayer */
  GArray *builds;   /* LmPreparedBuild */
  GArray *blobs;    /* LmPreparedBlob */
  GArray *provides; /* LmPreparedProvide */
  guint32 recent[1024];
  GArray *slots[3]; /* made by the index functions, in the order of the sections */
} LmPreparedBuilder;

LmPreparedBuilder *lm_prepared_builder_new (void);
void lm_prepared_builder_free (LmPreparedBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmPreparedBuilder, lm_prepared_builder_free)

/** lm_prepared_builder_add_string: its offset. */
guint32 lm_prepared_builder_add_string (LmPreparedBuilder *builder, const char *text, gsize length);

/** lm_prepared_builder_add_common: the same for a text that is likely to come
 * again: the offset of an equal one added before, if that is known. */
guint32 lm_prepared_builder_add_common (LmPreparedBuilder *builder, const char *text, gsize length);

/** lm_prepared_builder_append: adds all that @other has, but for its groups,
 * after what @builder has, with the references set right. */
void lm_prepared_builder_append (LmPreparedBuilder *builder, const LmPreparedBuilder *other);

typedef enum
{
  LM_PREPARED_INDEXED,
  LM_PREPARED_SAME_LAYER, /* two layers with one name, version and architecture */
  LM_PREPARED_SAME_BUILD, /* two builds with one digest */
  LM_PREPARED_CROWDED,    /* so many hash collisions that they must be meant */
} LmPreparedIndexing;

/** lm_prepared_builder_index: makes the indexes. *out_a and *out_b are set to
 * the numbers of the two layers or builds that are the same. */
LmPreparedIndexing lm_prepared_builder_index (LmPreparedBuilder *builder, guint32 *out_a, guint32 *out_b) G_GNUC_WARN_UNUSED_RESULT;

/** lm_prepared_builder_finish: the block, after lm_prepared_builder_index(). */
GBytes *lm_prepared_builder_finish (LmPreparedBuilder *builder, guint32 base_url);
