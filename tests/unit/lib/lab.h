/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Small catalogs for tests. In their text "$name" stands for the digest of "name"
 * (lm_digest_of_text()), in quotes. */
#include "plan/plan.h"

#define LAB_URL "http://lab.example/c/lab.yaml"

/** lab_expand: returns @text with digests inserted; newly allocated. */
char *lab_expand (const char *text);

/** lab_parse: parses the catalog @text with the URL LAB_URL; its source is "lab". */
LmCatalog *lab_parse (const char *text, GPtrArray *warnings, GError **error);

/** lab_set: returns a set with the single valid catalog @text. */
LmCatalogSet *lab_set (const char *text);

/* A catalog with systems, web servers and a database; see lab.c. */
extern const char *const lab_catalog;

/** lab_view: returns a view of a cache with the files of @names (NULL-terminated,
 * must outlive it). For a name that begins with "!", the lookup fails with
 * G_IO_ERROR_FAILED. */
LmPlanView lab_view (const char *const *names);
