/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Builds an index record by record. For catalog-reader.c only. */
#include "catalog/index.h"

/* A string that was added. */
typedef struct
{
  guint32 hash;
  guint32 offset; /* 0: none */
} LmIndexRecent;

/* The arrays may be read and appended to directly; strings are added by the functions below. */
typedef struct
{
  GString *strings;
  GArray *lists;    /* guint32 */
  GArray *groups;   /* LmIndexGroup */
  GArray *layers;   /* LmIndexLayer */
  GArray *builds;   /* LmIndexBuild */
  GArray *contents; /* LmIndexContents */
  GArray *blobs;    /* LmIndexBlob */
  GArray *provides; /* LmIndexProvide */
  LmIndexRecent recent[1024];
  GArray *slots[3]; /* hash tables, in the order of the sections */
} LmIndexBuilder;

/** lm_index_builder_new: returns an empty builder; never NULL. */
LmIndexBuilder *lm_index_builder_new (void);
/** lm_index_builder_free: frees @builder; NULL is ignored. */
void lm_index_builder_free (LmIndexBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmIndexBuilder, lm_index_builder_free)

/** lm_index_builder_add_string: adds a string and returns its offset. */
guint32 lm_index_builder_add_string (LmIndexBuilder *builder, const char *text, gsize length);

/** lm_index_builder_add_common: like lm_index_builder_add_string(), for a string
 * that is likely to occur again: returns the offset of an equal string added
 * recently, if there is one. */
guint32 lm_index_builder_add_common (LmIndexBuilder *builder, const char *text, gsize length);

/** lm_index_builder_append: appends everything in @other, except its groups, to
 * @builder and adjusts the references. */
void lm_index_builder_append (LmIndexBuilder *builder, const LmIndexBuilder *other);

typedef enum
{
  LM_INDEX_GOOD,
  LM_INDEX_SAME_LAYER, /* two layers with one name, version and architecture */
  LM_INDEX_SAME_BUILD, /* two builds with one digest */
  LM_INDEX_TOO_MANY_COLLISIONS,    /* so many hash collisions that they must be deliberate */
} LmIndexResult;

/** lm_index_builder_make_tables: builds the hash tables. If two layers or builds
 * are the same, *out_a and *out_b are their numbers. */
LmIndexResult lm_index_builder_make_tables (LmIndexBuilder *builder, guint32 *out_a, guint32 *out_b) G_GNUC_WARN_UNUSED_RESULT;

/** lm_index_builder_finish: returns the block. To be called after
 * lm_index_builder_make_tables(). @name, @requested_url and @base_url are offsets of
 * strings. */
GBytes *lm_index_builder_finish (LmIndexBuilder *builder, guint32 name, guint32 requested_url, guint32 base_url);
