/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A selection is what the user asked for: "[group=]name[@version]". Also the rules
 * for names and versions, which apply to catalogs too. */
#include "catalog/layer.h"

#define LM_NAME_MAX 64
#define LM_VERSION_MAX 64

typedef enum
{
  LM_SELECTION_ERROR_INVALID, /* not of the form [group=]name[@version] */
} LmSelectionError;

#define LM_SELECTION_ERROR lm_selection_error_quark ()
GQuark lm_selection_error_quark (void);

typedef struct
{
  char *group; /* NULL for any */
  char *name;
  char *version; /* NULL for the newest that fits */
} LmSelection;

/** lm_selection_parse: parses @text, which may be NULL (invalid). Errors: LM_SELECTION_ERROR. */
LmSelection *lm_selection_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_selection_format: returns the selection as text; newly allocated. */
char *lm_selection_format (const LmSelection *selection);

/** lm_selection_matches: whether @layer has the name, group and version of @selection. */
gboolean lm_selection_matches (const LmSelection *selection, const LmLayer *layer);

/** lm_selection_free: frees @selection; NULL is ignored. */
void lm_selection_free (LmSelection *selection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSelection, lm_selection_free)

/** lm_name_is_valid: whether @name is a valid name of a layer, a group, or
 * something that layers provide: [a-z0-9][a-z0-9+._-]*, at most LM_NAME_MAX bytes.
 * NULL is invalid. */
gboolean lm_name_is_valid (const char *name);

/** lm_version_is_valid: whether @version is a valid version:
 * [A-Za-z0-9][A-Za-z0-9.+~:-]*, at most LM_VERSION_MAX bytes. Versions are ordered
 * as in Debian. NULL is invalid. */
gboolean lm_version_is_valid (const char *version);
