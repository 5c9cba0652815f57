/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Puts an index together, record by record. For catalog-reader.c only. */
#include "catalog/index.h"

/* The arrays may be read and appended to; strings and lists by the functions. */
typedef struct
{
  GString *strings;
  GArray *lists;    /* guint32 */
  GArray *groups;   /* LmIndexGroup */
  GArray *layers;   /* LmIndexLayer */
  GArray *builds;   /* LmIndexBuild */
  GArray *blobs;    /* LmIndexBlob */
  GArray *provides; /* LmIndexProvide */
  guint32 recent[1024];
  GArray *slots[3]; /* made by the index functions, in the order of the sections */
} LmIndexBuilder;

LmIndexBuilder *lm_index_builder_new (void);
void lm_index_builder_free (LmIndexBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmIndexBuilder, lm_index_builder_free)

/** lm_index_builder_add_string: its offset. */
guint32 lm_index_builder_add_string (LmIndexBuilder *builder, const char *text, gsize length);

/** lm_index_builder_add_common: the same for a text that is likely to come
 * again: the offset of an equal one added before, if that is known. */
guint32 lm_index_builder_add_common (LmIndexBuilder *builder, const char *text, gsize length);

/** lm_index_builder_append: adds all that @other has, but for its groups,
 * after what @builder has, with the references set right. */
void lm_index_builder_append (LmIndexBuilder *builder, const LmIndexBuilder *other);

typedef enum
{
  LM_INDEX_GOOD,
  LM_INDEX_SAME_LAYER, /* two layers with one name, version and architecture */
  LM_INDEX_SAME_BUILD, /* two builds with one digest */
  LM_INDEX_CROWDED,    /* so many hash collisions that they must be meant */
} LmIndexResult;

/** lm_index_builder_make_tables: makes the hash tables. *out_a and *out_b are set to
 * the numbers of the two layers or builds that are the same. */
LmIndexResult lm_index_builder_make_tables (LmIndexBuilder *builder, guint32 *out_a, guint32 *out_b) G_GNUC_WARN_UNUSED_RESULT;

/** lm_index_builder_finish: the block, after lm_index_builder_make_tables(). */
GBytes *lm_index_builder_finish (LmIndexBuilder *builder, guint32 asked_url, guint32 base_url);
