/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Parses the text of a catalog, or of a part of one, into the records of an index.
 * For catalog-reader.c only. */
#include "catalog/field.h"
#include "catalog/index-builder.h"

#define LM_CATALOG_LAYERS_MAX 1000000

/* The URLs of the text, as for lm_catalog_parse(). */
typedef struct
{
  const char *document;  /* what messages call it; they begin with it */
  const char *requested_url; /* NULL if it is base_url */
  const char *base_url;
  gboolean unbuilt; /* the layers have no builds */
  gboolean own;     /* messages do not say where something is */
} LmCatalogOrigin;

typedef struct
{
  LmFieldReader fields; /* must be first: the functions of field.h take a pointer to it */
  const LmCatalogOrigin *origin;
  LmIndexBuilder *builder;
  GArray *layer_lines; /* guint, for messages about the catalog as a whole */
  GArray *build_lines;
  const LmIndexLayer *layer; /* the one that is being read; NULL for none */
  char *known_prefix; /* an absolute URL that was accepted, up to its last '/' */
  guint32 name;       /* the catalog's name, a string of the builder; 0 if it has none */
  guint nodes_to_layers;
  guint end_line;         /* line in which the text ended */
  gboolean ends_with_layers; /* nothing followed the layers, except a name in a continuation */
} LmCatalogPart;

/** lm_catalog_part_new: returns an empty part; never NULL. @origin must outlive it. */
LmCatalogPart *lm_catalog_part_new (const LmCatalogOrigin *origin, gboolean want_warnings);
/** lm_catalog_part_free: frees @part; NULL is ignored. */
void lm_catalog_part_free (LmCatalogPart *part);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCatalogPart, lm_catalog_part_free)

/** lm_catalog_part_read: parses @text, which begins at line @first_line of the
 * document. It is a whole catalog or the beginning of one; or, if @continuation is
 * set, it has only layers and perhaps a name. Errors: LM_CATALOG_ERROR,
 * LM_YAML_ERROR. */
gboolean lm_catalog_part_read (LmCatalogPart *part, const char *text, gsize size, guint first_line,
                               gboolean continuation, GError **error) G_GNUC_WARN_UNUSED_RESULT;
