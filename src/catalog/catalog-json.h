/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Writes a catalog as JSON, in the format that lm_catalog_parse() reads. */
#include "catalog/layer.h"

/** lm_catalog_to_json: returns the catalog called @name (NULL for none) of @groups
 * (LmGroup) and @layers (LmLayer), in their order, newly allocated. URLs are written
 * as they are, credentials included; the caller removes what must not be in it. */
char *lm_catalog_to_json (const char *name, const GPtrArray *groups, const GPtrArray *layers);
