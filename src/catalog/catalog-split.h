/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where a large catalog can be cut in two, so that two threads read it. For
 * catalog-reader.c only. */
#include <glib.h>

typedef struct
{
  gsize first_end;         /* bytes of the first part */
  const char *first_tail;  /* what makes a document of it, static */
  const char *second_head; /* the same for the second, to go before it, static */
  gsize second_begin;      /* where the second part begins */
  guint first_line;        /* the line after the first part, with its tail; from 1 */
  guint second_line;       /* line that the second part, with its head, begins in */
} LmCatalogSplit;

/** lm_catalog_split: finds a place near the middle of @text between two items
 * of the sequence "layers:", which is a block sequence, or a flow sequence in a
 * flow mapping (JSON). It looks at little of the text; the caller must read the
 * first part as a document of its own and see that it is one, with the layers
 * as its last key and ending before that line. Then the place is what it
 * seems. Block: inside a flow collection or a quoted scalar the first part
 * would end too early, and no other scalar goes on in a line that is not
 * indented more than the sequence. Flow: the tail closes the sequence and the
 * mapping, which it can do nowhere else. FALSE: none found. */
gboolean lm_catalog_split (const char *text, gsize size, LmCatalogSplit *out);
