/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the local catalog says about a base layer: what the user gives, and for the rest what
 * it said before, so that importing again loses nothing. Pure. For base-image.c only. */
#include "author/base-image.h"
#include "catalog/layer.h"

/** lm_base_entry_new: returns the entry of the layer @name@@version of the architecture @arch,
 * with the build @blob, made of @origin (which may be NULL). What @request does not give is that
 * of @before, the entry that the catalog has for the same file, unless that is NULL; the kernel
 * and initrd that it gives are not set, because they have to be taken into the cache. */
LmLayer *lm_base_entry_new (const LmBaseImageRequest *request, const char *name, const char *version, const char *arch,
                            const LmLayer *before, const LmBlob *blob, const char *origin);

/** lm_base_entry_list_changes: appends to @changes (char *), for people, what @after says
 * otherwise than @before. */
void lm_base_entry_list_changes (const LmLayer *before, const LmLayer *after, GPtrArray *changes);
