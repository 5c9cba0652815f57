/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Everything that is wrong with a catalog, for its author: what lm_catalog_parse() refuses, but all
 * of it and not only the first; and what makes layers useless to everybody. Pure. */
#include "catalog/catalog-set.h"

typedef struct
{
  guint line;       /* 0 if it is not of a line */
  gboolean warning; /* the catalog can be used all the same */
  char *text;
} LmCatalogProblem;

/* A file that the catalog lists. */
typedef struct
{
  guint line;      /* of its build, or of the layer whose kernel it is */
  LmDigest digest;
  guint64 size;    /* in bytes; 0 if that is wrong */
  char **urls;     /* absolute */
} LmCatalogFile;

typedef struct
{
  GPtrArray *problems; /* LmCatalogProblem, by line */
  GPtrArray *files;    /* LmCatalogFile */
  guint layers;
  guint builds;
} LmCatalogReport;

/** lm_catalog_report_free: frees @report; NULL is ignored. */
void lm_catalog_report_free (LmCatalogReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCatalogReport, lm_catalog_report_free)

/** lm_catalog_report_add: adds a problem. */
void lm_catalog_report_add (LmCatalogReport *report, guint line, gboolean warning, const char *format, ...) G_GNUC_PRINTF (4, 5);

/** lm_catalog_report_sort: sorts the problems by line. */
void lm_catalog_report_sort (LmCatalogReport *report);

/** lm_catalog_check: examines the @size bytes at @text of the catalog at @base_url. Parents and
 * required layers may also be in @others, which is not checked itself. Never NULL. */
LmCatalogReport *lm_catalog_check (const char *base_url, const char *text, gsize size, const LmCatalogSet *others);
