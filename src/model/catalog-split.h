/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where a large catalog can be cut in two, so that two threads read it. For
 * catalog-reader.c only. */
#include <glib.h>

typedef struct
{
  gsize offset; /* where the second part begins: at a line "- " of the layers */
  guint line;   /* that line's number, from 1 */
} LmCatalogSplit;

/** lm_catalog_split: finds a place near the middle of @text where an item of
 * the block sequence "layers:" seems to begin. It looks at the lines only; the
 * caller must read the first part as a document of its own and see that it is
 * one, with the layers as its last key and ending in the line before. Then the
 * place is what it seems: inside a flow collection or a quoted scalar the first
 * part would end too early, and no other scalar goes on in a line that is not
 * indented more than the sequence. FALSE: none found. */
gboolean lm_catalog_split (const char *text, gsize size, LmCatalogSplit *out);
