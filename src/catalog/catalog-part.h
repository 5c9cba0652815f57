/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Reads the text of a catalog, or of a part of one, into records. For
 * catalog-reader.c only. */
#include "catalog/field.h"
#include "catalog/index-builder.h"

#define LM_CATALOG_LAYERS_MAX 1000000

/* Where the text is from, as lm_catalog_parse() has it. */
typedef struct
{
  const char *document;  /* begins messages */
  const char *asked_url; /* NULL: base_url */
  const char *base_url;
} LmCatalogPlace;

typedef struct
{
  LmFieldReader fields; /* first: the functions of field.h are given this */
  const LmCatalogPlace *place;
  LmIndexBuilder *builder;
  GArray *layer_lines; /* guint, for messages about what only the whole shows */
  GArray *build_lines;
  char *known_prefix; /* of an absolute URL that was good, up to its last '/' */
  guint32 name;       /* what it calls itself, string of the builder; 0: it does not */
  guint nodes_to_layers;
  guint end_line;         /* where the text ended */
  gboolean layers_end_it; /* nothing came after the layers, but with @rest a name */
} LmCatalogPart;

/** lm_catalog_part_new: an empty one, which @place must outlive. Never NULL. */
LmCatalogPart *lm_catalog_part_new (const LmCatalogPlace *place, gboolean want_warnings);
void lm_catalog_part_free (LmCatalogPart *part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCatalogPart, lm_catalog_part_free)

/** lm_catalog_part_read: reads @text, whose first line is the document's line
 * @first_line: a whole catalog, or with @rest one that has only layers and
 * perhaps a name. */
gboolean lm_catalog_part_read (LmCatalogPart *part, const char *text, gsize size, guint first_line, gboolean rest,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
