/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Small catalogs for tests. In the text "$name" stands for the digest of
 * "name" (lm_digest_of_text()), in quotes. */
#include "plan/plan.h"

#define LAB_URL "http://lab.example/c/lab.yaml"

/** lab_expand: @text with its digests; newly allocated. */
char *lab_expand (const char *text);

/** lab_parse: the catalog @text from LAB_URL; its source is "lab". */
LmCatalog *lab_parse (const char *text, GPtrArray *warnings, GError **error);

/** lab_set: a set of the one good catalog @text. */
LmCatalogSet *lab_set (const char *text);

/* Of an os, web servers and a database; see lab.c. */
extern const char *const lab_catalog;

/** lab_view: a cache that has the files of @names (NULL-terminated, must outlive it).
 * Of a name with "!" before it, it cannot be told whether it is there: G_IO_ERROR_FAILED. */
LmPlanView lab_view (const char *const *names);
